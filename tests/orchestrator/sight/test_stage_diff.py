"""What a stage has changed, from the crossings of both its hops."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from codex_shim.orchestrator.sight.changes import Change
from codex_shim.orchestrator.sight.crossing import Crossing
from codex_shim.orchestrator.sight.stage_diff import LATE_SECONDS, Events, Pairing, StageDiff
from native_answers import native_frames

BEFORE, BEHIND = "ingress>trim", "trim>router"


def body(*texts: str, **more: Any) -> str:
    items = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]} for text in texts]
    return json.dumps({"model": "m", "input": items, **more})


def crossing(hop: str, body: str, answer: str = "Hi", id: str = "one", **more: Any) -> Crossing:
    pieces = [(float(place), frame.decode()) for place, frame in enumerate(native_frames(text=answer))]
    stream = {"content-type": "text/event-stream"}
    fields: dict[str, Any] = {"model": "m", "session": "s", "status": 200, "answer_headers": stream, "outcome": "ok"}
    return Crossing(hop=hop, id=id, body=body, answer=pieces, **{**fields, **more})


def diff(before: Crossing, behind: Crossing, pairing: Pairing | None = None) -> StageDiff:
    pairing = pairing or Pairing("trim")
    assert pairing.feed(behind, 0.0) is None
    found = pairing.feed(before, 0.0)
    assert found is not None
    return found


def test_a_stage_that_changes_nothing_has_changed_nothing() -> None:
    found = diff(crossing(BEFORE, body("x"), ts=1.0), crossing(BEHIND, body("x"), ts=2.0))
    assert (found.anything, found.request, found.headers, found.ts) == (False, [], [], 1.0)
    assert found.answer is not None
    assert found.answer.same_bytes


def test_the_request_and_its_headers_are_compared_in_the_order_they_went() -> None:
    headers = {"x-request-id": "one", "host": "a", "x-old": "1", "content-length": "10"}
    changed = {"x-request-id": "one", "host": "b", "x-new": "2", "content-length": "12", "authorization": "[REDACTED]"}
    found = diff(crossing(BEFORE, body("x", store=True), headers=headers), crossing(BEHIND, body("y"), headers=changed))
    assert [(change.kind, change.path) for change in found.request] == [
        ("removed", "store"),
        ("changed", "input[0].content[0].text"),
    ]
    assert [(change.kind, change.path) for change in found.headers] == [("removed", "x-old"), ("added", "x-new")]


def test_an_answer_is_compared_on_its_way_back() -> None:
    found = diff(crossing(BEFORE, body("x"), "Hello"), crossing(BEHIND, body("x"), "Hi"))
    assert found.answer is not None
    assert found.answer.fields == [Change(kind="changed", path="text", before="Hi", after="Hello")], "once, and not for each event"
    assert found.answer.events == []
    fewer = crossing(BEFORE, body("x"))
    fewer.answer = [piece for piece in fewer.answer if "output_text.delta" not in piece[1]]
    dropped = diff(fewer, crossing(BEHIND, body("x"))).answer
    assert dropped is not None
    assert dropped.events == [Events("response.output_text.delta", came=1, went=0)]


def test_the_same_events_in_other_bytes_are_told_from_no_change() -> None:
    other = crossing(BEFORE, body("x"))
    other.answer = [(offset, text.replace('": "', '":"')) for offset, text in other.answer]
    answer = diff(other, crossing(BEHIND, body("x"))).answer
    assert answer is not None
    assert (answer.same_bytes, answer.anything) == (False, False)


def test_an_error_in_json_is_compared_too() -> None:
    plain: dict[str, Any] = {"answer_headers": {"content-type": "application/json"}}
    refusal = [(1.0, '{"error":{"code":"rate_limit_exceeded","message":"wait"}}')]
    behind = msgspec.structs.replace(crossing(BEHIND, body("x"), status=429, **plain), answer=refusal)
    before = msgspec.structs.replace(crossing(BEFORE, body("x"), status=503, **plain), answer=refusal)
    answer = diff(before, behind).answer
    assert answer is not None
    assert answer.fields == [Change(kind="changed", path="status", before=429, after=503)]


def test_the_prefix_is_judged_by_the_request_before_in_the_same_session() -> None:
    pairing = Pairing("trim")
    first = diff(crossing(BEFORE, body("x")), crossing(BEHIND, body("at 1", "x")), pairing)
    assert first.prefix is None
    second = diff(crossing(BEFORE, body("x", "y"), id="two"), crossing(BEHIND, body("at 2", "x", "y"), id="two"), pairing)
    assert second.prefix is not None
    assert (second.prefix.came.broken_at, second.prefix.went.broken_at) == (None, "input[0].content[0].text")


def test_whichever_side_is_heard_first_they_are_joined() -> None:
    pairing = Pairing("trim")
    assert pairing.feed(crossing(BEFORE, body("x")), 0.0) is None
    assert pairing.late(LATE_SECONDS / 2) == []
    assert pairing.feed(crossing(BEHIND, body("x")), LATE_SECONDS / 2) is not None
    assert pairing.late(10 * LATE_SECONDS) == []


def test_what_the_stage_answered_itself_is_told_after_a_while() -> None:
    pairing = Pairing("trim")
    pairing.feed(crossing(BEFORE, body("x"), status=403), 0.0)
    (alone,) = pairing.late(2 * LATE_SECONDS)
    assert (alone.answer, alone.status, alone.request) == (None, 403, [])
