"""The difference of two JSON texts by path, and that of two texts by line or by word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codex_shim.orchestrator.sight.changes import Change, changes, parse
from codex_shim.orchestrator.sight.words import MOST_COMPARED, Piece, difference
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def found(before: str, after: str) -> list[tuple[str, str]]:
    return [(change.kind, change.path) for change in changes(parse(before), parse(after))]


def message(text: str, role: str = "user") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


def test_each_difference_has_its_path() -> None:
    before = '{"model":"a","input":[{"content":[{"text":"one"}]}],"store":false}'
    after = '{"model":"a","input":[{"content":[{"text":"two"}]}],"include":["x"]}'
    assert changes(parse(before), parse(after)) == [
        Change(kind="removed", path="store", before=False),
        Change(kind="changed", path="input[0].content[0].text", before="one", after="two"),
        Change(kind="added", path="include", after=["x"]),
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('{"a":1}', '{"a":true}', [("changed", "a")]),
        ('{"a":1.0}', '{"a":1.00}', [("changed", "a")]),
        ('{"a":1}', '{"a":1.0}', [("changed", "a")]),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', [("order", "")]),
        ('{"a b":{"x":1}}', '{"a b":{"x":2}}', [("changed", '["a b"].x')]),
        ('{"a":12345678901234567890}', '{"a":12345678901234567891}', [("changed", "a")]),
        ("[1]", '{"a":1}', [("changed", "")]),
        ('{"a": [1, 2]}', '{"a":[1,2]}', []),
    ],
)
def test_what_a_cache_would_tell_apart_differs(before: str, after: str, expected: list[tuple[str, str]]) -> None:
    assert found(before, after) == expected


def test_an_item_that_is_put_in_front_is_one_change() -> None:
    items = [message("one"), message("two"), message("three")]
    new = message("Be brief.", "developer")
    assert changes(items, [items[0], new, *items[1:]]) == [Change(kind="added", path="[1]", after=new)]
    assert changes([items[0], new, *items[1:]], items) == [Change(kind="removed", path="[1]", before=new)]


def test_an_item_that_changes_beside_one_that_comes_is_still_recognised() -> None:
    before = [message("x", "developer"), message("one")]
    after = [message("y", "developer"), {"type": "function_call", "name": "new"}, message("two")]
    assert [(change.kind, change.path) for change in changes(before, after)] == [
        ("changed", "[0].content[0].text"),
        ("added", "[1]"),
        ("changed", "[2].content[0].text"),
    ]


@given(VALUES, VALUES)
def test_there_are_no_changes_exactly_where_the_texts_are_the_same(before: Any, after: Any) -> None:
    same = json.dumps(before) == json.dumps(after)
    assert (changes(before, after) == []) == same


def test_what_is_no_json_is_refused_in_one_way() -> None:
    with pytest.raises(ValueError, match="Expecting property name"):
        parse("{")
    with pytest.raises(ValueError, match="nested too deeply"):
        parse("[" * 100_000)


# -- texts --------------------------------------------------------------------------------------------------------------


def test_of_a_line_only_the_words_that_differ_and_their_neighbours_are_shown() -> None:
    start = " ".join(f"w{number}" for number in range(30))
    pieces = difference(f"{start} old end", f"{start} new end")
    assert pieces == [
        Piece("left out", "… 24 words …"),
        Piece("same", " w24 w25 w26 w27 w28 w29"),
        Piece("removed", " old"),
        Piece("added", " new"),
        Piece("same", " end"),
    ]


def test_several_lines_are_compared_as_lines() -> None:
    lines = [f"line {number}" for number in range(10)]
    changed = [*lines[:5], "another", *lines[6:]]
    tones = [(piece.tone, piece.text) for piece in difference("\n".join(lines), "\n".join(changed))]
    assert tones == [
        ("left out", "… 3 lines …"),
        ("same", "line 3"),
        ("same", "line 4"),
        ("removed", "line 5"),
        ("added", "another"),
        ("same", "line 6"),
        ("same", "line 7"),
        ("left out", "… 2 lines …"),
    ]


def test_texts_without_anything_in_common_are_not_searched_for_long() -> None:
    before, after = (" ".join(f"{word}{number}" for number in range(MOST_COMPARED)) for word in ("a", "b"))
    assert [piece.tone for piece in difference(before, after)] == ["removed", "added"]


@given(st.text("ab \n", max_size=30), st.text("ab \n", max_size=30))
def test_both_texts_can_be_read_from_a_difference_that_leaves_nothing_out(before: str, after: str) -> None:
    pieces = difference(before, after)
    if before == after:
        assert pieces == []
    elif all(piece.tone != "left out" for piece in pieces):
        joint = "\n" if before.count("\n") + after.count("\n") > 1 else ""
        assert joint.join(piece.text for piece in pieces if piece.tone != "added") == before
        assert joint.join(piece.text for piece in pieces if piece.tone != "removed") == after
