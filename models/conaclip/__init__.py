"""Text-image search: dual encoders distilled through the full interaction graph (ConaCLIP)."""

from models.conaclip.spec import export_spec

__all__ = ["export_spec"]
