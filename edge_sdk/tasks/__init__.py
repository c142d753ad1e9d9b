"""The tasks by name. A task's module is imported when a bundle first asks for it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from edge_sdk.errors import BundleError

if TYPE_CHECKING:
    from edge_sdk.tasks.base import Task

TASKS = {
    "tagger": ("edge_sdk.tasks.tagger", "Tagger"),
    "embedder": ("edge_sdk.tasks.embedder", "Embedder"),
    "segmenter": ("edge_sdk.tasks.segmenter", "Segmenter"),
    "translator": ("edge_sdk.tasks.translator", "Translator"),
    "retriever": ("edge_sdk.tasks.retriever", "Retriever"),
}


def task_class(name: str) -> type[Task[Any]]:
    """The class of a task. Raises BundleError (`task_unknown`)."""
    if name not in TASKS:
        raise BundleError(
            "task_unknown",
            f"manifest.task is {name!r}, this runtime knows {', '.join(TASKS)}",
            "update edge-sdk, or check the bundle",
        )
    module, attribute = TASKS[name]
    found: type[Task[Any]] = getattr(import_module(module), attribute)
    return found
