"""What was seen of an exchange, as values."""

from __future__ import annotations

import json
from typing import Any

from codex_shim.orchestrator.file_tests.rehearsal import Seen
from codex_shim.orchestrator.file_tests.seen import Missing, values
from codex_shim.stages.contract.sse import encode_events
from codex_shim.stages.kit.rehearsal.answers import events
from codex_shim.stages.kit.rehearsal.play import Call

STREAM = {"content-type": "text/event-stream; charset=utf-8"}
JSON = {"content-type": "application/json"}
SAID = events("x", ["Hello ", "there", Call(kind="function_call", name="shell", value="{}")])


def seen(**fields: Any) -> dict[str, Any]:
    return values(Seen(number=0, **fields), {"kimi": {"fast": "kimi-k2"}})


def test_a_stream_is_its_events_its_text_and_the_response_it_ended_with() -> None:
    found = seen(status=200, headers=STREAM, body=encode_events([*SAID[:2], {"type": "keepalive"}, *SAID[2:]]).decode())
    assert found["events"] == SAID
    assert found["text"] == "Hello there"
    assert [item["type"] for item in found["answer"]["output"]] == ["message", "function_call"]


def test_an_answer_in_one_piece_has_a_text_too() -> None:
    found = seen(status=200, headers=JSON, body=json.dumps(SAID[-1]["response"]))
    assert found["text"] == "Hello there"
    assert found["answer"]["status"] == "completed"
    assert isinstance(found["events"], Missing)


def test_an_error_is_told_where_the_request_reached_nobody() -> None:
    found = seen(status=403, headers=JSON, body='{"error": {"message": "not here"}}')
    assert found["request"] == Missing("the next hop was not reached; the answer was status 403: not here")
    assert found["route"] == found["request"]
    assert found["answer"]["error"]["message"] == "not here"
    assert found["text"] == Missing("the answer has no text; it was status 403: not here")


def test_a_stream_that_breaks_off_has_no_answer() -> None:
    found = seen(status=200, headers=STREAM, body=encode_events(SAID[:5]).decode(), broken="it hung up")
    assert found["answer"] == Missing("the stream has no end: it hung up")
    assert found["text"] == "Hello "


def test_a_route_is_the_egress_the_slug_and_what_its_upstream_is_asked_for() -> None:
    found = seen(hop="kimi", request='{"model": "fast"}')
    assert found["route"] == {"egress": "kimi", "slug": "fast", "model": "kimi-k2"}


def test_what_is_no_json_is_no_value() -> None:
    assert seen(hop="kimi", request="soup")["request"] == Missing("the request at the next hop is no JSON")
    assert seen(status=200, headers={}, body="soup")["answer"] == Missing("the answer is no JSON")
