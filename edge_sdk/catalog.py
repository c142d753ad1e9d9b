"""Bundles by name: the trained ones that come with the package."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from edge_sdk.errors import BundleError, InputError

SUFFIX = ".edge"


def folder() -> Path:
    """$EDGE_SDK_ZOO where it is set; else the installed package's; else the checkout's."""
    chosen = os.environ.get("EDGE_SDK_ZOO")
    if chosen:
        return Path(chosen)
    package = Path(__file__).parent
    installed = package / "zoo"
    return installed if installed.is_dir() else package.parent / "zoo"


def bundles() -> list[Path]:
    """The bundles of the zoo, by name."""
    return sorted(folder().glob("*" + SUFFIX))


def find(bundle: str | os.PathLike[str]) -> Path:
    """The file of a bundle: of the zoo where `bundle` is a bare name, else the path itself.

    A path ends with `.edge` or holds a separator.
    Raises InputError (`input_type`) and BundleError (`bundle_not_found`).
    """
    if not isinstance(bundle, (str, os.PathLike)):
        raise InputError(
            "input_type",
            f"argument bundle must be a path or a zoo name, found {type(bundle).__name__}",
            'for example load("mtop-en")',
        )
    if not isinstance(bundle, str) or bundle.endswith(SUFFIX) or os.path.basename(bundle) != bundle:
        return Path(bundle)
    found = folder() / (bundle + SUFFIX)
    if not bundle or not found.is_file():
        names = [path.stem for path in bundles()]
        near = difflib.get_close_matches(bundle, names, n=1)
        raise BundleError(
            "bundle_not_found",
            f"no bundle named {bundle!r} in {folder()}, which has {', '.join(names) or 'none'}",
            f"did you mean {near[0]}?" if near else "give one of these names, or a path to an .edge file",
        )
    return found
