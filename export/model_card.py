"""MODEL_CARD.md: what the family says about the model, and what was measured here."""

from __future__ import annotations

from typing import Any

from models.common.export_spec import ExportSpec


def model_card(spec: ExportSpec, report: dict[str, Any]) -> bytes:
    """The card's text from the spec and the parity report."""
    lines = [
        f"# {spec.name} {spec.version}",
        "",
        f"- Task: {spec.task}. Language: {spec.language}.",
        f"- Licence of the weights: {spec.licence}.",
        f"- Training data: {spec.training_data}.",
        "",
        spec.card.strip(),
        "",
        "## Measured at export",
        "",
        *_table(spec, report),
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _table(spec: ExportSpec, report: dict[str, Any]) -> list[str]:
    stages = report["stages"]
    rates = [name for name, value in stages[0]["metrics"].items() if isinstance(value, float)]
    head = ["stage", "graphs, bytes", "worst signal-to-noise, dB", *rates]
    rows = []
    for stage in stages:
        ratios = [drift["snr_db"] for drift in stage["drift"].values() if drift["snr_db"]]
        rows.append(
            [
                stage["stage"],
                f"{stage['graph_bytes']:,}" if stage["graph_bytes"] else "",
                f"{min(ratios):.1f}" if ratios else "",
                *(f"{stage['metrics'][name]:.2f}" for name in rates),
            ]
        )
    if spec.guard is None:
        about = "No labelled data was given: nothing guarded the loss from quantization."
    else:
        count = stages[0]["metrics"]["rows"]
        about = (
            f"Metrics in percent, on the {count:,} rows of {spec.guard.data.name}. The export "
            f"fails if {spec.guard.metric} loses more than {spec.guard.max_loss} points."
        )
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        about,
    ]
