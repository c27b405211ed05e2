"""The first rule: inject."""

from __future__ import annotations

import msgspec
import pytest
from codex_shim.stages.contract.body import Document
from codex_shim.stages.policy.config import InjectRule
from codex_shim.stages.policy.rules import apply

DEVELOPER = '{"type":"message","role":"developer","content":[{"type":"input_text","text":"base"}]}'
USER = '{"type":"message",  "role":"user","odd":1.0,"content":[{"type":"input_text","text":"hi"}]}'


def after(rules: list[InjectRule], *items: str, model: str = "m") -> bytes:
    document = Document.parse(f'{{"model":"{model}","input":[{",".join(items)}],"z":1}}'.encode())
    apply(rules, document)
    return document.encode()


def texts(body: bytes) -> list[str]:
    return [item["content"][0]["text"] for item in msgspec.json.decode(body)["input"]]


@pytest.mark.parametrize(("at", "order"), [("start", ["X", "base", "hi"]), ("end", ["base", "X", "hi"])])
def test_text_is_put_before_or_behind_the_opening(at, order: list[str]) -> None:
    assert texts(after([InjectRule(inject="X", at=at)], DEVELOPER, USER)) == order


def test_other_items_stay_the_bytes_they_were() -> None:
    body = after([InjectRule(inject="X")], DEVELOPER, USER)
    assert DEVELOPER.encode() in body
    assert USER.encode() in body


def test_the_place_does_not_move_from_turn_to_turn() -> None:
    rules = [InjectRule(inject="X")]
    first = after(rules, DEVELOPER, USER)
    later = after(rules, DEVELOPER, USER, DEVELOPER, USER)
    prefix = first[: first.index(USER.encode()) + len(USER)]
    assert later.startswith(prefix)


def test_a_rule_for_other_models_does_nothing() -> None:
    document = Document.parse(b'{"model":"m","input":[]}')
    assert apply([InjectRule(inject="X", models=["other"])], document) == []
    assert document.encode() == b'{"model":"m","input":[]}'
    assert apply([InjectRule(inject="X", models=["m"], role="system")], document) == ["inject"]
    assert b'"role":"system"' in document.encode()


def test_an_opening_without_an_end_is_all_of_it() -> None:
    assert texts(after([InjectRule(inject="X")], DEVELOPER)) == ["base", "X"]
    assert texts(after([InjectRule(inject="X")])) == ["X"]
