"""A native stream goes on in the bytes it came in, and ends well whatever it does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from codex_shim.stages.contract.envelope import unseal
from codex_shim.stages.contract.events import TERMINAL, Event, ResponseBuilder
from codex_shim.stages.contract.sse import Frame, SSEDecoder
from codex_shim.stages.egress_http.dialects import DIALECTS, Target
from codex_shim.stages.egress_http.dialects.base import Passed
from hypothesis import given, settings
from hypothesis import strategies as st

Run = Callable[..., list[Event]]
OPENAI = Target(model="gpt-6", host="api.openai.com")
BODY = {"model": "slug", "stream": True, "input": [], "tools": [{"type": "custom", "name": "c"}, {"type": "function", "name": "f"}]}
USAGE = {
    "input_tokens": 1,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 1,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 2,
}


def frame(event: dict[str, Any]) -> bytes:
    return f"event: {event.get('type', '')}\ndata: {json.dumps(event)}\n\n".encode()


def test_frames_are_passed_on_as_the_very_bytes_they_came_in(builder: ResponseBuilder) -> None:
    """Spaces, escapes and unknown fields included."""
    events = [
        {"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "new": 1.0}},
        {"type": "response.output_text.delta", "sequence_number": 1, "delta": "é", "obfuscation": "ab"},
        {"type": "response.something.new", "sequence_number": 2},
        {"type": "codex.rate_limits", "plan_type": "pro"},
        {"type": "response.completed", "sequence_number": 3, "response": {"id": "resp_1", "output": [], "usage": USAGE}},
    ]
    upstream = b"".join(map(frame, events))
    translator = DIALECTS["responses"].prepare(BODY, OPENAI, builder, raw=json.dumps(BODY).encode()).translator
    outputs = [out for each in SSEDecoder().feed(upstream) for out in translator.feed(each)]
    assert all(isinstance(out, Passed) for out in outputs)
    assert b"".join(out.data for out in outputs if isinstance(out, Passed)) == upstream
    assert translator.ended


def test_a_break_is_told_in_the_name_of_the_response_that_had_begun(builder: ResponseBuilder) -> None:
    """The official SDK refuses a stream whose response changes its id."""
    translator = DIALECTS["responses"].prepare(BODY, OPENAI, builder, raw=json.dumps(BODY).encode()).translator
    translator.feed(Frame(b"", b'{"type":"response.created","sequence_number":0,"response":{"id":"resp_theirs","model":"m"}}'))
    (failed,) = translator.finish()
    assert isinstance(failed, dict)
    assert (failed["response"]["id"], failed["sequence_number"]) == ("resp_theirs", 1)


def test_what_the_provider_said_of_a_limit_stays_and_is_put_in_words(run: Run) -> None:
    error = {"code": "usage_limit_reached", "message": "Later.", "resets_at": 5, "plan_type": "plus"}
    events = [
        {"type": "response.created", "sequence_number": 0, "response": {"id": "r"}},
        {"type": "response.in_progress", "sequence_number": 1, "response": {"id": "r"}},
        {
            "type": "response.failed",
            "sequence_number": 2,
            "response": {"id": "r", "status": "failed", "output": [], "error": error},
        },
    ]
    told = run(BODY, [b"".join(map(frame, events))], OPENAI, "responses")[-1]["response"]["error"]
    assert told == {
        **error,
        "message": "the usage limit of the ChatGPT Plus plan has been reached; it resets at 1970-01-01 00:00 UTC",
    }


LOCAL = Target(model="m", host="127.0.0.1")


def whole(*output: dict[str, Any]) -> bytes:
    """An answer in one piece."""
    response = {"id": "resp_1", "object": "response", "status": "completed", "output": list(output), "usage": USAGE}
    return b"data: " + json.dumps(response).encode() + b"\n\n"


def told(*output: dict[str, Any]) -> list[bytes]:
    """The same answer as a stream."""
    items = [
        {"type": f"response.output_item.{step}", "output_index": place, "item": item}
        for place, item in enumerate(output)
        for step in ("added", "done")
    ]
    begun = {"id": "resp_1", "object": "response", "status": "in_progress", "output": []}
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        *items,
        {"type": "response.completed", "response": {**begun, "status": "completed", "output": list(output), "usage": USAGE}},
    ]
    return [frame({**event, "sequence_number": number}) for number, event in enumerate(events)]


MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": [], "status": "completed"}


def a_call(name: str, arguments: str) -> dict[str, Any]:
    return {"type": "function_call", "id": "fc_1", "call_id": "a", "name": name, "arguments": arguments, "status": "completed"}


@pytest.mark.parametrize("spoken", [told, lambda *output: [whole(*output)]], ids=["streamed", "whole"])
def test_names_come_back_as_the_client_knows_them_and_other_items_as_they_are(run: Run, spoken: Any) -> None:
    """D15."""
    body = {**BODY, "tools": [{"type": "function", "name": "my.tool/v1"}]}
    call = a_call("my_tool_v1", "{}")
    assert run(body, spoken(MESSAGE, call), LOCAL, "responses")[-1]["response"]["output"] == [
        MESSAGE,
        {**call, "name": "my.tool/v1"},
    ]


@pytest.mark.parametrize("spoken", [told, lambda *output: [whole(*output)]], ids=["streamed", "whole"])
def test_opaque_state_of_others_is_sealed_wherever_it_stands(run: Run, spoken: Any) -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "blob", "status": "completed"}
    (kept,) = run(BODY, spoken(thought), LOCAL, "responses")[-1]["response"]["output"]
    envelope = unseal(kept["encrypted_content"])
    assert envelope is not None
    assert (envelope.provider, envelope.model, envelope.data) == ("127.0.0.1", "m", "blob")
    (open,) = run(BODY, spoken(thought), OPENAI, "responses")[-1]["response"]["output"]
    assert open["encrypted_content"] == "blob"


@pytest.mark.parametrize(
    ("arguments", "given"),
    [('{"query":"maps"}', {"query": "maps"}), ("", {}), ("maps", {"query": "maps"}), ("[1]", {"query": "[1]"})],
)
def test_a_tool_search_has_an_object_whatever_the_model_wrote(run: Run, arguments: str, given: dict[str, Any]) -> None:
    body = {**BODY, "tools": [{"type": "tool_search", "execution": "client"}]}
    (item,) = run(body, told(a_call("tool_search", arguments)), LOCAL, "responses")[-1]["response"]["output"]
    assert (item["type"], item["arguments"]) == ("tool_search_call", given)


items = st.sampled_from(
    [
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "c", "arguments": '{"input":"x"}'},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "c", "arguments": '{"input":"x'},
        {"type": "function_call", "id": "fc_2", "call_id": "d", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "blob"},
        {"type": "new"},
        None,
    ]
)
numbers = st.sampled_from([None, 0, 1, 2, 7, "x"])
responses = st.sampled_from(
    [None, {}, {"id": "r", "usage": None, "output": None}, {"id": "r", "status": "completed", "usage": USAGE, "output": []}, "x"]
)
kinds = st.sampled_from(
    [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.completed",
        "response.incomplete",
        "response.failed",
        "error",
        "ping",
        "",
    ]
)
events = st.fixed_dictionaries(
    {"type": kinds},
    optional={
        "sequence_number": numbers,
        "item": items,
        "item_id": st.sampled_from(["fc_1", "fc_2", 5]),
        "response": responses,
        "delta": st.sampled_from(["{", '"input":', None]),
        "arguments": st.sampled_from(['{"input":"x"}', "", None]),
        "error": st.sampled_from([None, "x", {"message": "y"}, {"code": 429}]),
    },
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(events, max_size=10),
    st.sampled_from([OPENAI, Target(model="m", host="127.0.0.1"), Target(model="m", host="api.x.ai")]),
)
def test_whatever_comes_there_is_one_terminal_event_at_the_end(sent: list[dict[str, Any]], target: Target) -> None:
    builder = ResponseBuilder("slug", 1)
    translator = DIALECTS["responses"].prepare(BODY, target, builder, raw=json.dumps(BODY).encode()).translator
    outputs = [out for each in SSEDecoder().feed(b"".join(map(frame, sent))) for out in translator.feed(each)]
    outputs += translator.finish()
    told = [json.loads(out.data.split(b"data: ", 1)[1]) if isinstance(out, Passed) else out for out in outputs]
    assert [event["type"] in TERMINAL for event in told] == [False] * (len(told) - 1) + [True]
    counted = [event["sequence_number"] for event in told if event["type"].startswith("response.")]
    assert counted == sorted(set(counted))
    assert translator.ended
    assert translator.finish() == []


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30).filter(lambda data: b'"type"' not in data), max_size=8))  # an event of another kind is none
def test_bytes_of_any_kind_end_in_a_failure(run: Run, sent: list[bytes]) -> None:
    assert run(BODY, sent, OPENAI, "responses")[-1]["type"] == "response.failed"
