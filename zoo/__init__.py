"""The trained bundles; `edge_sdk.load(NAME)` finds NAME.edge here."""
