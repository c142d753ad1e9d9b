"""Translation of code-mixed queries to English with brand names kept."""

from models.query_translator.spec import export_spec

__all__ = ["export_spec"]
