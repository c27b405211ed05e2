"""The small paths of `[[test]]` tables."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.json_path import PathError, parse, parse_field, select

VALUE = {
    "model": "x",
    "input": [{"role": "developer"}, {"role": "user", "content": [{"text": "a"}, {"text": "b"}]}],
    "odd key": {"a.b": 1, "0": None},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", [VALUE]),
        ("model", ["x"]),
        ("input[0].role", ["developer"]),
        ("input[-1].role", ["user"]),
        ("input[*].role", ["developer", "user"]),
        ("input[*].content[*].text", ["a", "b"]),
        ('["odd key"]["a.b"]', [1]),
        ('["odd key"][*]', [1, None]),
        ('["odd key"]["0"]', [None]),
        ("input[2].role", []),
        ("input[-3]", []),
        ("input.role", []),
        ("model[0]", []),
        ("model[*]", []),
        ("nothing.at.all", []),
    ],
)
def test_a_path_leads_to_what_it_names(path: str, found: list[object]) -> None:
    assert select(VALUE, parse(path)) == found


@pytest.mark.parametrize("path", ["input[", ".model", "a..b", "a b", "[x]", "a.[0]", "a.", '["a'])
def test_what_is_no_path_is_told_with_the_place(path: str) -> None:
    with pytest.raises(PathError, match="cannot be read from"):
        parse(path)


def test_a_quoted_name_is_a_json_string() -> None:
    assert parse(r'["a\"b"]') == ('a"b',)
    with pytest.raises(PathError, match="not a JSON string"):
        parse(r'["\x"]')


@pytest.mark.parametrize("path", ["", "[0]", "[*].a"])
def test_a_path_begins_with_a_name(path: str) -> None:
    with pytest.raises(PathError, match="must begin with the name of a field"):
        parse_field(path)
