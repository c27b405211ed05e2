"""Two answers to the same request, side by side."""

from __future__ import annotations

from typing import Any

from codex_shim.orchestrator.sight.comparison import report, rows, sums
from codex_shim.orchestrator.sight.crossing import Crossing
from codex_shim.orchestrator.sight.outcome import answer_of
from codex_shim.orchestrator.trial.answer import Answer, Trouble
from native_answers import native_frames

STREAM = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}


def call(arguments: str, call_id: str = "c1") -> dict[str, Any]:
    return {"type": "function_call", "name": "ls", "call_id": call_id, "arguments": arguments}


def recorded(*items: dict[str, Any], text: str = "Hi") -> Crossing:
    frames = native_frames(*items, text=text)
    return Crossing(
        hop="a>b",
        id="x",
        status=200,
        answer_headers=STREAM,
        answer=[(100.0 * place, frame.decode()) for place, frame in enumerate(frames)],
        first_ms=1.0,
        ms=900.0,
    )


def test_a_recorded_answer_is_read_with_the_moments_of_the_recording() -> None:
    answer = answer_of(recorded())
    assert (answer.text, answer.headers, answer.first_token, answer.whole) == ("Hi", 0.001, 0.2, 0.4)
    assert answer.usage == {"input_tokens": 20, "output_tokens": 7, "total_tokens": 27, "cached_tokens": 4}


def test_answers_that_are_no_stream_are_read_too() -> None:
    response = '{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Hi"}]}]}'
    whole = answer_of(Crossing(hop="a>b", id="x", status=200, answer_headers=JSON, answer=[(5.0, response)], ms=7.0))
    assert (whole.text, whole.whole, whole.trouble) == ("Hi", 0.007, None)
    refused = answer_of(Crossing(hop="a>b", id="x", status=429, answer=[(5.0, '{"error":{"message":"wait","code":"busy"}}')]))
    assert refused.trouble == Trouble("busy", "wait")
    gone = answer_of(Crossing(hop="a>b", id="x", outcome="cancelled"))
    assert gone.trouble == Trouble("unanswered", "it ended without an answer (cancelled)")


def test_calls_are_the_same_whatever_their_ids_and_spaces() -> None:
    before = answer_of(recorded(call('{"a":1,"b":2}'), text="Hi"))
    after = answer_of(recorded(call('{"b": 2, "a": 1}', "c2"), text="Hi"))
    other = answer_of(recorded(call('{"a":2}'), text="Ho"))
    (same,) = rows(["m"], [before], [after])
    (different,) = rows(["m"], [before], [other])
    assert (same.same_text, same.same_calls) == (True, True)
    assert (different.same_text, different.same_calls) == (False, False)
    assert different.before.calls == ['function_call.ls {"a": 1, "b": 2}']


def test_sums_hold_what_both_sides_have_told() -> None:
    told, silent = answer_of(recorded()), Answer(request_id="y", whole=1.0)
    cheaper = answer_of(recorded())
    cheaper.usage = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12, "cached_tokens": 0}
    found = rows(["m", "m", "m"], [told, told, told], [cheaper, silent])
    before, after = sums(found)
    assert ((before.input, before.cached, before.output), (after.input, after.cached, after.output)) == ((20, 4, 7), (5, 0, 7))
    assert (before.whole, after.whole) == (0.8, 1.4), "the moments of both, since both have told them"
    assert found[2].after is None
    assert report(found)["sum"]["after"]["input"] == 5


def test_only_what_had_succeeded_can_be_lost() -> None:
    fine, failed = answer_of(recorded()), Answer(request_id="y", trouble=Trouble("server_error", "boom"))
    found = rows(["m"] * 3, [fine, failed, fine], [failed, failed, fine], [2, 5, 7])
    assert [(row.number, row.lost) for row in found] == [(2, True), (5, False), (7, False)]
    assert found[0].after is not None
    assert found[0].after.failure == "server_error: boom"
