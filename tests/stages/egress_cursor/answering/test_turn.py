"""What a turn tells whoever drives the process. What it makes of whole runs is in test_transcripts.py."""

from __future__ import annotations

from typing import Any

from agent_lines import delta, init, line, result, thinking, tool_ended, tool_started
from codex_shim.stages.contract.events import Event, ResponseBuilder
from codex_shim.stages.egress_cursor import failures, tags
from codex_shim.stages.egress_cursor.answering.turn import Turn
from codex_shim.stages.egress_cursor.asking import prompt

NONCE = "0123456789ab"
CALL = tags.opening(NONCE, "f") + "{}" + tags.closing(NONCE)


def start() -> Turn:
    body = {"input": "hi", "tools": [{"type": "function", "name": "f"}]}
    return Turn(ResponseBuilder("slug", 1), prompt.build(body, NONCE))


def said(events: list[Event]) -> list[Any]:
    return [event["delta"] for event in events if event["type"] == "response.output_text.delta"]


def test_the_response_begins_with_the_first_thing_to_show() -> None:
    """Until then a failure can still be a plain status."""
    turn = start()
    assert turn.feed(init() + line(type="connection", subtype="reconnecting", attempt=1)) == []
    assert (turn.begun, turn.started) == (True, False)
    assert [event["type"] for event in turn.feed(thinking("Hm."))][:2] == ["response.created", "response.in_progress"]
    assert turn.started


def test_text_goes_out_at_once() -> None:
    turn = start()
    assert said(turn.feed(init() + delta("H"))) == ["H"]
    assert said(turn.feed(delta("ello "))) == ["ello "]


def test_open_tools_are_counted() -> None:
    turn = start()
    turn.feed(init() + tool_started("read", "a", path="x") + tool_started("grep", "b", pattern="y"))
    assert turn.open_tools == 2
    turn.feed(tool_ended("read", id="a") + tool_ended("read", id="unknown"))
    assert turn.open_tools == 1


def test_a_result_settles_the_turn_and_its_end_comes_with_finish() -> None:
    turn = start()
    assert "response.completed" not in [event["type"] for event in turn.feed(init() + delta("Hi.") + result("Hi."))]
    assert (turn.settled, turn.answered, turn.ended, turn.failure) == (True, True, False, None)
    assert turn.finish()[-1]["type"] == "response.completed"
    assert turn.ended
    assert (turn.finish(), turn.fail(failures.cut_call()), turn.feed(delta("late"))) == ([], [], [])


def test_a_call_settles_the_turn_only_when_something_follows() -> None:
    turn = start()
    turn.feed(init() + delta(CALL))
    assert not turn.settled
    turn.feed(delta(" then"))
    assert turn.settled


def test_one_of_cursors_own_tools_behind_a_call_settles_the_turn() -> None:
    turn = start()
    turn.feed(init() + delta(CALL) + tool_started("read", path="x"))
    assert turn.settled


def test_a_timeout_fails_the_turn_unless_a_call_is_already_the_clients() -> None:
    turn = start()
    turn.feed(init() + delta("Half "))
    assert turn.fail(failures.timeout("idle", 90))[-1]["type"] == "response.failed"
    assert turn.failure == failures.timeout("idle", 90)
    called = start()
    called.feed(init() + delta(CALL))
    assert called.fail(failures.timeout("idle", 90))[-1]["type"] == "response.completed"
    assert called.failure is None


def test_a_failure_before_anything_was_shown_is_known_before_it_is_told() -> None:
    turn = start()
    turn.feed(init("flag"))
    assert turn.settled
    assert (turn.started, turn.failure and turn.failure.code) == (False, "cursor_misconfigured")


def test_a_last_line_that_was_cut_off_says_nothing() -> None:
    turn = start()
    turn.feed(init() + delta("Hi.") + result("Hi.")[:-9])
    assert turn.finish(0)[-1]["type"] == "response.failed"


def test_what_an_error_event_said_is_told_when_no_result_comes() -> None:
    turn = start()
    turn.feed(init() + line(type="error", message="Your plan has hit your usage limit"))
    turn.finish(1)
    assert turn.failure is not None
    assert turn.failure.code == "cursor_usage_limit"


def test_many_small_deltas_are_as_many_events() -> None:
    turn = start()
    turn.feed(init() + delta("Hi "))
    assert len(turn.feed(b"".join(delta("x") for _ in range(1000)))) == 1000
