"""Typed reading of untrusted JSON objects: each wrong value is named by its full path."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from edge_sdk.errors import BundleError

_MISSING: Any = object()


class Section:
    """A JSON object of a bundle and its path, such as `manifest.pipeline`.

    Every reader raises BundleError (`bundle_schema`) that names the path, what was found
    and what was expected. A key with no `default` must be there.
    """

    def __init__(self, values: object, path: str) -> None:
        if not isinstance(values, Mapping):
            raise _wrong(path, "an object", values)
        self.values: Mapping[str, Any] = values
        self.path = path

    def only(self, *keys: str) -> None:
        """Refuse keys other than these: a constant that is silently ignored is a wrong result."""
        for key in self.values:
            if key not in keys:
                raise BundleError(
                    "bundle_schema",
                    f"{self.path}: unknown key {key!r}, expected one of {', '.join(keys)}",
                    "export the bundle again, or update edge-sdk",
                )

    def text(
        self, key: str, default: Any = _MISSING, choices: Collection[str] | None = None
    ) -> str:
        """A string, one of `choices` where they are given."""
        value = self._get(key, str, "a string", default)
        if choices is not None and value not in choices:
            raise _wrong(self._path(key), "one of " + ", ".join(sorted(choices)), value)
        return value

    def integer(
        self, key: str, minimum: int = 0, maximum: int = 2**63 - 1, default: Any = _MISSING
    ) -> int:
        """An integer in [minimum, maximum]; `true` is not one."""
        value = self._get(key, int, "an integer", default)
        if value is not default and not minimum <= value <= maximum:
            raise _wrong(self._path(key), f"an integer from {minimum} to {maximum}", value)
        return value

    def number(self, key: str, default: Any = _MISSING) -> float:
        """A finite number."""
        value = self._get(key, (int, float), "a number", default)
        if value is default:
            return value
        if not math.isfinite(value):
            raise _wrong(self._path(key), "a finite number", value)
        return float(value)

    def flag(self, key: str, default: Any = _MISSING) -> bool:
        """`true` or `false`."""
        return self._get(key, bool, "true or false", default)

    def section(self, key: str, default: Any = _MISSING) -> Section:
        """An object inside this one."""
        return Section(self._get(key, Mapping, "an object", default), self._path(key))

    def items(self, key: str, default: Any = _MISSING) -> list[Any]:
        """A list of anything; check the elements yourself."""
        return self._get(key, list, "a list", default)

    def sections(self, key: str, default: Any = _MISSING) -> list[Section]:
        """A list of objects."""
        path = self._path(key)
        return [Section(item, f"{path}[{i}]") for i, item in enumerate(self.items(key, default))]

    def texts(self, key: str, default: Any = _MISSING) -> list[str]:
        """A list of strings."""
        items = self.items(key, default)
        for i, item in enumerate(items):
            if not isinstance(item, str):
                raise _wrong(f"{self._path(key)}[{i}]", "a string", item)
        return items

    def _path(self, key: str) -> str:
        return f"{self.path}.{key}"

    def _get(self, key: str, kind: Any, expected: str, default: Any) -> Any:
        value = self.values.get(key, _MISSING)
        if value is _MISSING:
            if default is _MISSING:
                raise BundleError(
                    "bundle_schema",
                    f"{self._path(key)} is missing, expected {expected}",
                    "export the bundle again",
                )
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise _wrong(self._path(key), expected, value)
        return value


def _wrong(path: str, expected: str, found: object) -> BundleError:
    shown = repr(found)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    return BundleError(
        "bundle_schema", f"{path}: found {shown}, expected {expected}", "export the bundle again"
    )
