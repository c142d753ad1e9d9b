"""Inference engines: one file an engine, all behind the `Session` protocol of `base`."""
