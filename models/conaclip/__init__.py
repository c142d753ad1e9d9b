"""Text-image search: dual encoders distilled through the full interaction graph (ConaCLIP)."""
