"""Typed reading of JSON objects."""

from __future__ import annotations

import pytest

from edge_sdk.errors import BundleError
from edge_sdk.section import Section

VALUES = {"s": "a", "i": 3, "n": 1.5, "b": True, "o": {"x": 1}, "l": ["a", "b"], "h": 1e400}


@pytest.fixture
def section():
    return Section(VALUES, "root")


def test_right_values(section):
    assert section.text("s", choices=("a", "b")) == "a"
    assert section.integer("i", minimum=3, maximum=3) == 3
    assert section.number("n") == 1.5
    assert section.number("i") == 3.0
    assert section.flag("b") is True
    assert section.section("o").integer("x") == 1
    assert section.texts("l") == ["a", "b"]
    assert Section({"l": [{"x": 2}]}, "root").sections("l")[0].integer("x") == 2


@pytest.mark.parametrize(
    ("reader", "key", "arguments", "message"),
    [
        ("text", "i", {}, "root.i: found 3, expected a string"),
        ("text", "s", {"choices": ("x", "y")}, "root.s: found 'a', expected one of x, y"),
        ("integer", "s", {}, "root.s: found 'a', expected an integer"),
        ("integer", "b", {}, "root.b: found True, expected an integer"),
        ("integer", "n", {}, "root.n: found 1.5, expected an integer"),
        ("integer", "i", {"minimum": 4}, "root.i: found 3, expected an integer from 4"),
        ("integer", "i", {"maximum": 2}, "root.i: found 3, expected an integer from 0 to 2"),
        ("number", "s", {}, "root.s: found 'a', expected a number"),
        ("number", "b", {}, "root.b: found True, expected a number"),
        ("number", "h", {}, "root.h: found inf, expected a finite number"),
        ("flag", "i", {}, "root.i: found 3, expected true or false"),
        ("section", "l", {}, "root.l: found .*, expected an object"),
        ("items", "o", {}, "root.o: found .*, expected a list"),
        ("sections", "l", {}, r"root.l\[0\]: found 'a', expected an object"),
        ("text", "none", {}, "root.none is missing, expected a string"),
    ],
)
def test_wrong_values_are_named(section, reader, key, arguments, message):
    with pytest.raises(BundleError, match=message):
        getattr(section, reader)(key, **arguments)


def test_defaults_stand_in_for_missing_keys_only(section):
    assert section.text("none", default="x") == "x"
    assert section.integer("none", minimum=5, default=0) == 0
    assert section.number("none", default=None) is None
    with pytest.raises(BundleError):
        section.integer("s", default=0)


def test_nesting_shows_in_the_path(section):
    with pytest.raises(BundleError, match="root.o.x: found 1, expected a string"):
        section.section("o").text("x")


def test_unknown_keys(section):
    section.only(*VALUES)
    with pytest.raises(BundleError, match="unknown key 'o'"):
        section.only("s", "i", "n", "b", "l", "h")


def test_long_values_are_cut():
    with pytest.raises(BundleError) as caught:
        Section({"a": ["x" * 10_000]}, "root").text("a")
    assert len(str(caught.value)) < 300
