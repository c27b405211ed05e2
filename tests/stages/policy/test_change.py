"""Changing what a JSON path names."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.stages.contract.json_path import parse
from codex_shim.stages.policy.change import ABSENT, altered, same


def put(value: Any, path: str, new: Any = 9) -> Any:
    return altered(value, parse(path), lambda _: new)


@pytest.mark.parametrize(
    ("value", "path", "after"),
    [
        ({"a": 1, "b": 2}, "a", {"a": 9, "b": 2}),
        ({"b": 2}, "a.c", {"b": 2, "a": {"c": 9}}),
        ({"a": None}, "a.c", {"a": {"c": 9}}),
        ({"a": "text"}, "a.c", {"a": "text"}),
        ({"a": [1, 2]}, "a[1]", {"a": [1, 9]}),
        ({"a": [1, 2]}, "a[-1]", {"a": [1, 9]}),
        ({"a": [1]}, "a[3]", {"a": [1]}),
        ({"a": [{}, {"b": 1}]}, "a[*].b", {"a": [{"b": 9}, {"b": 9}]}),
        ({"a": {"x": 1, "y": 2}}, "a[*]", {"a": {"x": 9, "y": 9}}),
    ],
)
def test_what_is_named_is_changed_and_nothing_else(value: Any, path: str, after: Any) -> None:
    assert put(value, path) == after


@pytest.mark.parametrize(
    ("value", "path", "after"),
    [
        ({"a": 1, "b": 2}, "a", {"b": 2}),
        ({"b": 2}, "a.c.d", {"b": 2}),
        ({"a": [1, 2, 3]}, "a[1]", {"a": [1, 3]}),
        ({"a": [1, 2]}, "a[*]", {"a": []}),
        ({"a": {"b": 1}}, "a.b", {"a": {}}),
    ],
)
def test_what_is_taken_out_leaves_no_trace(value: Any, path: str, after: Any) -> None:
    assert put(value, path, ABSENT) == after


def test_the_value_that_came_in_stays_as_it_was() -> None:
    value = {"a": [{"b": 1}]}
    put(value, "a[0].b")
    assert value == {"a": [{"b": 1}]}


def test_numbers_and_booleans_are_not_the_same_json() -> None:
    assert not same(1, True)
    assert not same({"a": [1]}, {"a": [1.0]})
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1}), "the order of keys counts for a cache"
    assert same({"a": [None, "x"]}, {"a": [None, "x"]})
