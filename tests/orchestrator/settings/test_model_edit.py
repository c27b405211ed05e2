"""Rows are put into models.json and taken out, and the rest of the file stays as it was written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codex_shim.orchestrator.settings import model_edit
from codex_shim.orchestrator.settings.models import LISTS, listed
from hypothesis import given
from hypothesis import strategies as st

ROW = {"model": "kimi-k2.5", "provider": "moonshot"}
ON_LINES = '{\n    "model": "kimi-k2.5",\n    "provider": "moonshot"\n  }'

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_OBJECTS = st.dictionaries(st.text(max_size=6), _SCALARS | st.lists(_SCALARS, max_size=2), max_size=4)
_ROWS = st.lists(_OBJECTS | st.text(max_size=8) | st.integers(), max_size=4)
_AROUND = st.none() | st.tuples(
    st.sampled_from(LISTS), st.dictionaries(st.text(max_size=4).filter(lambda key: key not in LISTS), _OBJECTS)
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A models.json as programs and people write it."""
    rows, around = draw(_ROWS), draw(_AROUND)
    document: Any = rows if around is None else {**around[1], around[0]: rows}
    indent = draw(st.sampled_from([None, 1, 2, 4, "\t"]))
    separators = draw(st.sampled_from([None, (",", ":"), (" ,\n ", " : ")]))
    text = json.dumps(document, indent=indent, separators=separators, ensure_ascii=draw(st.booleans()))
    text = draw(st.sampled_from(["", "\n", " \t"])) + text + draw(st.sampled_from(["", "\n"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def rows_of(text: str) -> list[Any]:
    document = json.loads(text)
    return document if isinstance(document, list) else next(document[name] for name in LISTS if name in document)


@given(files(), st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=4))
def test_a_row_that_comes_and_goes_leaves_the_others_as_they_were(text: str, row: dict[str, str]) -> None:
    before = rows_of(text)
    added = model_edit.add(text, row)
    assert json.dumps(rows_of(added)) == json.dumps([*before, row])
    after = model_edit.remove(added, len(before))
    assert json.dumps(rows_of(after)) == json.dumps(before)
    assert after == text or not before, "with another row there, not one character differs"


@given(files(), st.data())
def test_any_row_can_go_and_the_others_stay(text: str, data: st.DataObject) -> None:
    before = rows_of(text)
    if not before:
        return
    place = data.draw(st.integers(0, len(before) - 1))
    after = model_edit.remove(text, place)
    assert json.dumps(rows_of(after)) == json.dumps(before[:place] + before[place + 1 :])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[]\n", '[\n  {"model": "kimi-k2.5", "provider": "moonshot"}\n]\n'),
        ('{"models": []}', '{"models": [\n  {"model": "kimi-k2.5", "provider": "moonshot"}\n]}'),
        ('{\n\t"models": [ ]\n}', '{\n\t"models": [\n\t\t{"model": "kimi-k2.5", "provider": "moonshot"}\n\t]\n}'),
        ('["a"]', '["a", {"model": "kimi-k2.5", "provider": "moonshot"}]'),
        ('[{"model":"a"}]', '[{"model":"a"},{"model":"kimi-k2.5","provider":"moonshot"}]'),
        ('[\n  {"model": "a"}\n]', '[\n  {"model": "a"},\n  {"model": "kimi-k2.5", "provider": "moonshot"}\n]'),
        ('[\n  {\n    "model": "a"\n  }\n]\n', f'[\n  {{\n    "model": "a"\n  }},\n  {ON_LINES}\n]\n'),
        ('[\r\n  {"model": "a"}\r\n]', '[\r\n  {"model": "a"},\r\n  {"model": "kimi-k2.5", "provider": "moonshot"}\r\n]'),
    ],
)
def test_a_row_is_laid_out_as_those_that_are_there(before: str, after: str) -> None:
    assert model_edit.add(before, ROW) == after


@pytest.mark.parametrize(("place", "left"), [(0, '[\n  "b",\n  "c"\n]'), (1, '[\n  "a",\n  "c"\n]'), (2, '[\n  "a",\n  "b"\n]')])
def test_a_row_goes_with_its_comma(place: int, left: str) -> None:
    assert model_edit.remove('[\n  "a",\n  "b",\n  "c"\n]', place) == left


def test_of_a_key_that_is_there_twice_the_one_that_counts_is_edited() -> None:
    text = '{"models": ["no"], "note": {"models": []}, "models": ["a"]}'
    assert model_edit.remove(text, 0) == '{"models": ["no"], "note": {"models": []}, "models": []}'


def test_rows_are_known_by_their_names_whether_they_can_work_or_not() -> None:
    text = json.dumps(
        ["qwen3:32b", {"model": "a b", "display_name": "Ay", "provider": "none such"}, 7, {"slug": "own", "model": "x"}]
    )
    named = [(row.place, row.slug, row.model, row.name) for row in listed(text, "models.json")]
    assert named == [(0, "qwen3-32b", "qwen3:32b", "qwen3:32b"), (1, "a-b", "a b", "Ay"), (2, "", "", ""), (3, "own", "x", "x")]
