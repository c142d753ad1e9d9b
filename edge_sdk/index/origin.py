"""Which bundle made an index: vectors of two models have nothing to do with each other."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_sdk.bundle import Bundle

_NOT_OF_THE_MODEL = ("report.json", "MODEL_CARD.md", "selftest.json")


@dataclass(frozen=True, slots=True)
class Origin:
    """A bundle by name, version, and fingerprint: a sha256 of all that its vectors depend on."""

    name: str
    version: str
    fingerprint: str

    @classmethod
    def of(cls, bundle: Bundle) -> Origin:
        """The fingerprint covers task, pipeline, and the members but report, card and self-test."""
        manifest = bundle.manifest
        files = {f.name: f.sha256 for f in manifest.files if f.name not in _NOT_OF_THE_MODEL}
        facts = [manifest.task, manifest.raw["pipeline"], files]
        text = json.dumps(facts, sort_keys=True).encode()
        return cls(manifest.name, manifest.version, hashlib.sha256(text).hexdigest())

    def to_dict(self) -> dict[str, str]:
        """Keys `name`, `version`, `fingerprint`."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.fingerprint[:12]})"
