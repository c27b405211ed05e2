"""The scanner finds every key and value that tomllib finds, where it stands."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from codex_shim.orchestrator.settings.positions import Path
from codex_shim.orchestrator.settings.toml_positions import scan
from hypothesis import given
from hypothesis import strategies as st


def paths(data: Any, at: Path = ()) -> set[Path]:
    """All that leads to something in decoded data."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    found = {at} if at else set()
    return found.union(*(paths(value, (*at, key)) for key, value in items))


CASES = {
    "plain": ('a = 1\n  b = "x"  # c = 2\n', ("b",), (2, 3), (2, 7)),
    "quoted keys": ("\"a.b\" = 1\n'c d' = 2\n", ("c d",), (2, 1), (2, 9)),
    "escaped key": ('"a\\u0062" = 1\n', ("ab",), (1, 1), (1, 13)),
    "dotted key": ("a . b.c = 1\n", ("a", "b", "c"), (1, 1), (1, 11)),
    "table": ("[ a . b ]\nc = 1\n", ("a", "b", "c"), (2, 1), (2, 5)),
    "header between": ("[a.b]\n[a]\nc = 1\n", ("a",), (2, 1), (2, 1)),
    "array of tables": ("[[s]]\nn = 1\n[[s]]\nn = 2\n", ("s", 1, "n"), (4, 1), (4, 5)),
    "table in an array of tables": ("[[s]]\n[[s]]\n[s.c]\nn = 2\n", ("s", 1, "c", "n"), (4, 1), (4, 5)),
    "array of tables in another": ("[[s]]\n[[s.t]]\n[[s.t]]\nn = 2\n", ("s", 0, "t", 1, "n"), (4, 1), (4, 5)),
    "array": ("a = [ # [\n 1, 'x,]',\n [2, 3],\n]\nb = 1\n", ("a", 2, 1), (3, 6), (3, 6)),
    "empty array": ("a = [ ]\nb = []\nc = 1\n", ("c",), (3, 1), (3, 5)),
    "inline table": ("a = { b = 1, c.d = [ { e = 2 } ] }\n", ("a", "c", "d", 0, "e"), (1, 24), (1, 28)),
    "empty inline table": ("a = {}\nb = { }\nc = 1\n", ("c",), (3, 1), (3, 5)),
    "multi-line string": ('a = """\nb = 1\\"""\n"""\nb = 2\n', ("b",), (4, 1), (4, 5)),
    "quotes before the end": ('a = """x"""""\nb = 2\n', ("b",), (2, 1), (2, 5)),
    "literal multi-line": ("a = '''\\\n[b]\n'''''\nb = 2\n", ("b",), (4, 1), (4, 5)),
    "date with a blank": ("a = 1979-05-27 07:32:00 # d\nb = 1\n", ("b",), (2, 1), (2, 5)),
    "no last line end": ("a = 1\n[t]\nb = true", ("t", "b"), (3, 1), (3, 5)),
    "other letters": ('"é" = "ü"\nä = 1\n'.replace("ä", '"ä"'), ("ä",), (2, 1), (2, 7)),
}


@pytest.mark.parametrize("case", CASES)
def test_finds_keys_and_values(case: str) -> None:
    text, path, key, value = CASES[case]
    positions = scan(text)
    assert set(positions) == paths(tomllib.loads(text))
    assert (positions.key(path), positions.value(path)) == (key, value)


def test_falls_back_to_the_nearest_parent() -> None:
    positions = scan("\n[a]\nb = 1\n")
    assert positions.key(("a", "b", "nowhere", 3)) == (3, 1)
    assert positions.value(("a", "nowhere")) == (2, 1)
    assert positions.key(("nowhere",)) == (0, 0)


# Generated documents: a table of tables, arrays and strings, each written in one of the ways that TOML has.

KEYS = st.text("abAB-_ .é\"'#[]=", min_size=1, max_size=4)
SCALARS = st.sampled_from(
    [
        ("1_000", 1000),
        ("-0.5e3", -500.0),
        ("true", True),
        ("inf", float("inf")),
        ("07:32:00", tomllib.loads("t = 07:32:00")["t"]),
        ('"a # b = [c] \\" \\\\"', 'a # b = [c] " \\'),
        ("'a \" \\'", 'a " \\'),
        ('"""\n[x]\ny = 1 \\""" ""z""""', '[x]\ny = 1 """ ""z"'),
        ("'''\n[[x]]\n''z'''''", "[[x]]\n''z''"),
    ]
)


def written_key(key: str, literal: bool) -> str:
    if key.replace("-", "a").replace("_", "a").isalnum() and key.isascii():
        return key
    if literal and "'" not in key:
        return f"'{key}'"
    return '"' + key.replace('"', '\\"') + '"'


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> tuple[str, Any]:
    """The text of a value, and the value."""
    kind = draw(st.sampled_from(["scalar", "array", "table"] if depth else ["scalar"]))
    if kind == "scalar":
        return draw(SCALARS)
    if kind == "array":
        items = draw(st.lists(values(depth - 1), max_size=3))
        space, comma = draw(st.sampled_from(["", " ", "\n ", " # ],\n"])), draw(st.sampled_from(["", ","]))
        inner = f"{space},{space}".join(text for text, _ in items)
        return f"[{space}{inner}{space}{comma if items else ''}{space}]", [value for _, value in items]
    entries = draw(st.dictionaries(KEYS, values(depth - 1), max_size=3))
    literal = draw(st.booleans())
    inner = ", ".join(f"{written_key(key, literal)} = {text}" for key, (text, _) in entries.items())
    return f"{{ {inner} }}", {key: value for key, (_, value) in entries.items()}


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Tables with one unique header each (`t0`, `t1.x`), some of them arrays of tables, in any order of kinds."""
    lines = []
    for number in range(draw(st.integers(0, 4))):
        header = draw(st.sampled_from([f"[t{number}]", f"[ t{number} . x ]", "[[s]]", "[[ s ]]", f"[[t{number}.y]]"]))
        lines += [draw(st.sampled_from(["", "# [c]", "  "])), header + draw(st.sampled_from(["", " # [[c]]"]))]
        for key, (text, _) in draw(st.dictionaries(KEYS, values(), max_size=3)).items():
            prefix = draw(st.sampled_from(["", f"d{len(lines)}.", f"d{len(lines)} . e."]))
            lines.append(f"{prefix}{written_key(key, draw(st.booleans()))} = {text}{draw(st.sampled_from(['', ' # d']))}")
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


def at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


@given(documents())
def test_agrees_with_tomllib(text: str) -> None:
    data = tomllib.loads(text)
    positions = scan(text)
    assert set(positions) == paths(data)
    lines = text.split("\n")
    for path in positions:
        value = at(data, path)
        line, column = positions.value(path)
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        if isinstance(value, str):  # a string must begin here; what follows it must not be part of it
            assert rest[0] in "\"'"
        elif isinstance(value, dict) and rest[0] not in "{[":
            assert "." in rest  # the key's own beginning, of a table that dotted keys made
        elif isinstance(value, bool | int | float):
            assert rest.startswith(("1_000", "-0.5e3", "true", "inf"))
