"""pNLP-Mixer: intent and slots from a model without embeddings (Fusco et al., 2023)."""

from models.pnlp_mixer.spec import export_spec

__all__ = ["export_spec"]
