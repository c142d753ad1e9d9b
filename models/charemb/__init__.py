"""Phrase embeddings from characters: models that reconstruct a static embedding matrix.

CharEmb (Fusco and Antognini, 2023): every entry of the matrix, word or multiword term, is one
sample, (text, vector), so the model learns to place any string in the matrix' space.
"""

from models.charemb.spec import export_spec

__all__ = ["export_spec"]
