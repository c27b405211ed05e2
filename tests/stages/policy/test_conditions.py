"""When a rule is for a request."""

from __future__ import annotations

from datetime import time
from typing import Any

import msgspec
import pytest
from codex_shim.stages.policy.conditions import holds, within
from codex_shim.stages.policy.config import When
from hypothesis import given
from hypothesis import strategies as st
from policy_requests import request, run

CONTEXT = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "<cwd>/work/shop</cwd>"}]}
SAID = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "fix the login"}]}
PICTURE = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "data:,"}]}
ASKED: dict[str, Any] = {"model": "kimi-k2", "input": [CONTEXT, SAID], "reasoning": {"effort": "high"}}


def holds_for(body: Any, **said: Any) -> bool:
    return holds(msgspec.convert(said, When), request(body, {"x-team": "blueberry"}))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"models": ["gpt-5", "kimi*"]},
        {"project": ["/work/*"]},
        {"fields": {"reasoning.effort": "^high$"}},
        {"fields": {"input[*].role": "user"}},
        {"says": "(?i)LOGIN"},
        {"tokens_above": 10, "tokens_below": 1000},
        {"images": False},
        {"hours": "09:00-17:00"},
        {"headers": {"X-Team": "blue*"}},
    ],
)
def test_what_is_true_of_a_request_holds(said: dict[str, Any]) -> None:
    assert holds_for(ASKED, **said)


@pytest.mark.parametrize(
    "said",
    [
        {"models": ["gpt-5", "kimi"]},
        {"project": ["/home/*"]},
        {"fields": {"reasoning.effort": "low"}},
        {"fields": {"absent": ""}},
        {"says": "logout"},
        {"says": "shop"},
        {"tokens_above": 1000},
        {"tokens_below": 10},
        {"images": True},
        {"hours": "17:00-09:00"},
        {"headers": {"x-team": "red"}},
        {"headers": {"x-absent": "?*"}},
        {"models": ["kimi*"], "images": True},
    ],
)
def test_what_is_not_true_of_a_request_does_not_hold(said: dict[str, Any]) -> None:
    assert not holds_for(ASKED, **said)


def test_a_condition_sees_what_the_rules_before_have_left() -> None:
    low = {"do": "set", "values": {"reasoning.effort": "low"}}
    seen = {"do": "deny", "sentence": "High.", "when": {"fields": {"reasoning.effort": "high"}}}
    unseen = {"do": "drop", "paths": ["input"], "when": {"fields": {"reasoning.effort": "absent"}}}
    body, effects = run(ASKED, unseen, low, seen)
    assert (msgspec.json.decode(body)["reasoning"], [effect.note for effect in effects]) == (
        {"effort": "low"},
        ["set reasoning.effort"],
    )
    assert holds_for(ASKED, fields={"[*].effort": "high", "": "login"}), "a path may begin anywhere"


def test_a_picture_counts_wherever_it_stands() -> None:
    assert holds_for({"model": "m", "input": [PICTURE]}, images=True)
    output = {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "image_url": "data:,"}]}
    assert holds_for({"model": "m", "input": [output]}, images=True)


def test_an_input_that_is_a_text_is_what_the_user_said() -> None:
    assert holds_for({"model": "m", "input": "fix the login"}, says="login")
    assert not holds_for({"model": "m"}, says="login")


def test_the_project_is_the_folder_that_codex_named_last() -> None:
    moved = {"type": "message", "role": "user", "content": "<environment_context>\n  <cwd> /home/me </cwd>"}
    assert holds_for({"model": "m", "input": [CONTEXT, SAID, moved]}, project=["/home/*"])
    assert not holds_for({"model": "m", "input": [CONTEXT, SAID, moved]}, project=["/work/*"])


@given(st.times(), st.times(), st.times())
def test_hours_and_their_complement_share_the_day(now: time, begin: time, end: time) -> None:
    begin, end = begin.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    if begin != end:
        one, other = f"{begin:%H:%M}-{end:%H:%M}", f"{end:%H:%M}-{begin:%H:%M}"
        assert within(now, one) is not within(now, other)


WORK = [
    {"do": "inject", "text": "X"},
    {"do": "set", "values": {"temperature": 1}},
    {"do": "default", "values": {"temperature": 1}},
    {"do": "drop", "paths": ["input"]},
    {"do": "replace", "pattern": ".", "by": "y"},
    {"do": "deny", "sentence": "No."},
    {"do": "route", "to": "other"},
    {"do": "dedupe", "least": 1},
    {"do": "trim", "above": 1, "head": 0, "tail": 0, "keep": 0, "step": 1},
    {"do": "redact", "patterns": {"any": "."}},
    {"do": "repair"},
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(body=st.dictionaries(st.text(), JSON, max_size=4), items=st.lists(JSON, max_size=3))
def test_a_rule_never_touches_what_its_condition_excludes(body: dict[str, Any], items: list[Any]) -> None:
    raw = msgspec.json.encode({**body, "input": items, "model": "excluded"})
    for table in WORK:
        assert run(raw, {**table, "when": {"models": ["only-this"]}}) == (raw, []), table["do"]
