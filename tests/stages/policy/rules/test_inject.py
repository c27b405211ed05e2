"""A message of one's own."""

from __future__ import annotations

import msgspec
import pytest
from policy_requests import run

DEVELOPER = '{"type":"message","role":"developer","content":[{"type":"input_text","text":"base"}]}'
USER = '{"type":"message",  "role":"user","odd":1.0,"content":[{"type":"input_text","text":"hi"}]}'


def after(rule: dict[str, str], *items: str) -> bytes:
    return run(f'{{"model":"m","input":[{",".join(items)}],"z":1}}'.encode(), {"do": "inject", "text": "X", **rule})[0]


def texts(body: bytes) -> list[str]:
    return [item["content"][0]["text"] for item in msgspec.json.decode(body)["input"]]


@pytest.mark.parametrize(("at", "order"), [("start", ["X", "base", "hi"]), ("end", ["base", "X", "hi"])])
def test_text_is_put_before_or_behind_the_opening(at, order: list[str]) -> None:
    assert texts(after({"at": at}, DEVELOPER, USER)) == order


def test_other_items_stay_the_bytes_they_were() -> None:
    body = after({}, DEVELOPER, USER)
    assert DEVELOPER.encode() in body
    assert USER.encode() in body


def test_the_place_does_not_move_from_turn_to_turn() -> None:
    first = after({}, DEVELOPER, USER)
    later = after({}, DEVELOPER, USER, DEVELOPER, USER)
    prefix = first[: first.index(USER.encode()) + len(USER)]
    assert later.startswith(prefix)


def test_an_opening_without_an_end_is_all_of_it() -> None:
    assert texts(after({}, DEVELOPER)) == ["base", "X"]
    assert texts(after({})) == ["X"]


def test_an_input_that_is_a_text_becomes_the_message_that_it_stands_for() -> None:
    body, effects = run({"model": "m", "input": "hi"}, {"do": "inject", "text": "X", "role": "system"})
    assert texts(body) == ["X", "hi"]
    assert [item["role"] for item in msgspec.json.decode(body)["input"]] == ["system", "user"]
    assert [effect.note for effect in effects] == ["inject"]
