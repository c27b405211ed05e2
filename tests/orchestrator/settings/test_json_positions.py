"""The scanner finds every key and value that json finds, where it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codex_shim.orchestrator.settings.json_positions import scan
from codex_shim.orchestrator.settings.positions import Path
from hypothesis import given
from hypothesis import strategies as st


def paths(data: Any, at: Path = ()) -> set[Path]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    found = {at} if at else set()
    return found.union(*(paths(value, (*at, key)) for key, value in items))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
)


@given(JSON, st.sampled_from([None, 0, 2]), st.booleans())
def test_agrees_with_json(data: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    positions = scan(text)
    assert set(positions) == paths(data)
    lines = text.split("\n")
    for path in positions:
        line, column = positions.value(path)
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        value = data
        for step in path:
            value = value[step]
        assert json.JSONDecoder().raw_decode(rest)[0] == value


CASES = {
    "row in a list": ('[\n  {"a": 1},\n  {"b": 2}\n]', (1, "b"), (3, 4), (3, 9)),
    "row in an object": ('{"models": [\n {"a" : "x"}]}', ("models", 0, "a"), (2, 3), (2, 9)),
    "brackets in strings": ('["]", {"}": "\\"{", "k": 1}]', (1, "k"), (1, 20), (1, 25)),
    "a key twice": ('[{"k": 1, "k": 2}]', (0, "k"), (1, 11), (1, 16)),
    "windows line ends": ('[\r\n  {\r\n  "k":\t1}]\r\n', (0, "k"), (3, 3), (3, 8)),
}


@pytest.mark.parametrize("case", CASES)
def test_finds_keys_and_values(case: str) -> None:
    text, path, key, value = CASES[case]
    positions = scan(text)
    assert (positions.key(path), positions.value(path)) == (key, value)
