"""How much of a session a request begins with again, before a stage and behind it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codex_shim.orchestrator.sight.prefix import Sessions, common, kept, size, visible
from hypothesis import given
from hypothesis import strategies as st

TOOLS = [{"type": "function", "name": "ls", "parameters": {"type": "object"}}]


def message(text: str, role: str = "user") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


def body(*texts: str, **more: Any) -> str:
    return json.dumps(
        {"model": "m", "instructions": "Be good.", "tools": TOOLS, "input": [message(text) for text in texts], **more}
    )


def broken_at(before: str, after: str) -> str | None:
    return kept(visible(before), visible(after)).broken_at


def test_a_session_that_only_grows_keeps_its_whole_prefix() -> None:
    before, after = body("one", "two"), body("one", "two", "three", "four")
    judged = kept(visible(before), visible(after))
    assert (judged.kept, judged.broken_at) == (judged.total, None)
    assert judged.total == sum(len(part.raw) for part in visible(before))


@pytest.mark.parametrize(
    ("after", "path"),
    [
        (body("one", "TWO", "three"), "input[1].content[0].text"),
        (body("one"), "input[1]"),
        (body("one", "two", instructions="Be bad."), "instructions"),
        (body("one", "two", tools=[*TOOLS, {"type": "web_search"}]), "tools[1]"),
        (body("one", "two", tools=[{**TOOLS[0], "strict": True}]), "tools[0].strict"),
        (body("one", "two", tools=[{"name": "ls", **TOOLS[0]}]), "tools[0].name"),
        (body("one", "two").replace('"role": "user"', '"role":"user"', 1), "input[0]"),
        (body("one", "two", input="one"), "input"),
    ],
)
def test_the_first_byte_that_differs_is_named_by_its_path(after: str, path: str) -> None:
    assert broken_at(body("one", "two"), after) == path


def test_what_the_model_does_not_read_does_not_count() -> None:
    assert broken_at(body("one", metadata={"turn": 1}, store=False), body("one", metadata={"turn": 2})) is None


def test_the_bytes_before_the_difference_are_kept() -> None:
    before, after = body("one", "two and more"), body("one", "two and less")
    judged = kept(visible(before), visible(after))
    tail = len(b'more"}]}')
    assert judged.total - judged.kept == tail


def test_a_stage_that_breaks_the_prefix_is_told_from_a_client_that_does() -> None:
    sessions = Sessions()
    assert sessions.feed("s", body("one"), body("note 1", "one")) is None, "the first of a session has nothing before it"
    broken = sessions.feed("s", body("one", "two"), body("note 2", "one", "two"))
    assert broken is not None
    assert (broken.came.broken_at, broken.went.broken_at) == (None, "input[0].content[0].text")
    assert broken.sentence.startswith("prefix broken at input[0].content[0].text: a provider's cache starts anew from there (")
    assert broken.sentence.endswith("it came in whole")
    fine = sessions.feed("s", body("one", "two", "three"), body("note 2", "one", "two", "three"))
    assert fine is not None
    assert fine.sentence == f"prefix kept: {size(fine.went.total)} of {size(fine.went.total)}"
    both = sessions.feed("s", body("ONE"), body("note 2", "ONE"))
    assert both is not None
    assert both.sentence.endswith("kept, broken at input[0].content[0].text")
    assert "it came in with" in both.sentence


def test_sessions_are_judged_apart_and_only_so_many_are_remembered() -> None:
    sessions = Sessions(most=2)
    for name in ("a", "b", "a", "c"):
        sessions.feed(name, body(name), body(name))
    assert sessions.feed("b", body("b"), body("b")) is None, "b was the one that nobody had asked for the longest time"
    assert sessions.feed("c", body("c", "d"), body("c", "d")) is not None


def test_a_body_that_cannot_be_read_is_no_judgement() -> None:
    sessions = Sessions()
    assert [sessions.feed("s", text, text) for text in ("{", "[]", body("x"), "{}")] == [None, None, None, None]


@given(st.binary(max_size=40), st.binary(max_size=10), st.binary(max_size=10))
def test_the_common_beginning_is_found_by_halves(start: bytes, left: bytes, right: bytes) -> None:
    count = common(start + left, start + right)
    one, other = start + left, start + right
    assert one[:count] == other[:count]
    assert count == min(len(one), len(other)) or one[count] != other[count]


def test_sizes_are_told_in_three_figures() -> None:
    assert [size(count) for count in (812, 41_234, 999_949, 3_400_000)] == ["812 B", "41.2 kB", "999.9 kB", "3.4 MB"]
