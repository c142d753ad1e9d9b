"""Training code: one folder a family, `common` for what they share. Needs the extra ``[train]``."""
