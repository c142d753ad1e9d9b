"""Chinese word segmentation: small taggers trained in a cohort (CWSeg)."""

from models.cwseg.spec import export_spec

__all__ = ["export_spec"]
