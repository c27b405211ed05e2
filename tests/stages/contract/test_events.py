"""The builder: the order of a Responses stream, kept under any sequence of what a model may do."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from codex_shim.stages.contract.errors import Failure
from codex_shim.stages.contract.events import TERMINAL, Event, ResponseBuilder, Usage, random_id, stream_code
from hypothesis import given
from hypothesis import strategies as st


def builder() -> ResponseBuilder:
    numbers = itertools.count()
    return ResponseBuilder("m", 1, lambda prefix: f"{prefix}_{next(numbers)}")


def types(events: list[Event]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def test_text_is_one_message_with_one_part() -> None:
    build = builder()
    events = [*build.start(), *build.text("Hel"), *build.text("lo"), *build.complete(Usage(input=3, output=2))]
    assert types(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    response = events[-1]["response"]
    assert response["output"][0]["content"] == [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}]
    assert response["usage"]["total_tokens"] == 5
    assert response["status"] == "completed"


def test_reasoning_text_and_call_are_items_in_their_order() -> None:
    build = builder()
    events = [
        *build.reasoning("think"),
        *build.seal_reasoning("opaque"),
        *build.text("say"),
        *build.call("custom_tool_call", "c1", "apply_patch"),
        *build.call_delta("*** "),
        *build.end_call("*** Begin Patch"),
        *build.complete(),
    ]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert [item["type"] for item in done] == ["reasoning", "message", "custom_tool_call"]
    assert done[0]["encrypted_content"] == "opaque"
    assert done[2]["input"] == "*** Begin Patch"
    assert "response.custom_tool_call_input.done" in [event["type"] for event in events]


def test_a_call_that_a_failure_cuts_off_is_never_done() -> None:
    build = builder()
    events = [
        *build.call("function_call", "c", "rm"),
        *build.call_delta('{"cmd":"rm -rf'),
        *build.fail(Failure(code="server_error", message="gone")),
    ]
    assert types(events) == ["output_item.added", "function_call_arguments.delta", "failed"]
    assert events[-1]["response"]["output"] == []
    assert events[-1]["response"]["error"] == {"code": "server_error", "message": "gone"}


def test_half_a_message_that_a_failure_cuts_off_is_never_done() -> None:
    build = builder()
    assert "output_item.done" not in types([*build.text("half"), *build.fail(Failure(code="server_error", message="gone"))])


def test_a_length_stop_keeps_the_text_and_says_why() -> None:
    build = builder()
    events = [*build.text("half"), *build.incomplete("max_output_tokens")]
    assert types(events)[-2:] == ["output_item.done", "incomplete"]
    assert events[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_a_length_stop_drops_an_open_call() -> None:
    build = builder()
    assert "output_item.done" not in types([*build.call("function_call", "c", "x"), *build.incomplete("max_output_tokens")])


def test_a_namespace_stays_with_its_call() -> None:
    build = builder()
    [*_, done] = [*build.call("function_call", "c", "echo", "mcp__demo"), *build.end_call("{}")]
    assert (done["item"]["namespace"], done["item"]["name"], done["item"]["arguments"]) == ("mcp__demo", "echo", "{}")


def test_usage_always_has_every_number() -> None:
    assert Usage(input=10, cached=4, output=3, reasoning=1).wire() == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 13,
    }


def test_ids_do_not_repeat() -> None:
    assert len({random_id("resp") for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize(
    ("status", "code", "shown"),
    [
        (400, "invalid_prompt", "invalid_prompt"),
        (400, "unknown_parameter", "invalid_prompt"),
        (401, "invalid_api_key", "invalid_prompt"),
        (404, "model_not_found", "model_not_found"),
        (408, "timeout", "server_error"),
        (429, "too_fast", "rate_limit_exceeded"),
        (500, "boom", "server_error"),
        (529, "overloaded_error", "server_error"),
    ],
)
def test_every_failure_has_a_code_that_clients_know(status: int, code: str, shown: str) -> None:
    assert stream_code(Failure(code=code, message="", status=status)) == shown


_steps: st.SearchStrategy[Callable[[ResponseBuilder], list[Event]]] = st.sampled_from(
    [
        lambda build: build.text("a"),
        lambda build: build.reasoning("r"),
        lambda build: build.seal_reasoning("s"),
        lambda build: [*build.call("function_call", "c", "f"), *build.call_delta("{"), *build.end_call("{}")],
        lambda build: [*build.call("custom_tool_call", "c", "f", "ns"), *build.end_call("raw")],
        lambda build: build.item({"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}),
        lambda build: build.close(),
    ]
)
_ends: st.SearchStrategy[Callable[[ResponseBuilder], list[Event]]] = st.sampled_from(
    [
        lambda build: build.complete(),
        lambda build: build.incomplete("max_output_tokens"),
        lambda build: build.fail(Failure(code="server_error", message="m")),
    ]
)


@given(steps=st.lists(_steps), end=_ends)
def test_any_sequence_keeps_the_order_of_events(
    steps: list[Callable[[ResponseBuilder], list[Event]]], end: Callable[[ResponseBuilder], list[Event]]
) -> None:
    build = builder()
    events = [*build.start(), *(event for step in steps for event in step(build)), *end(build)]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] in TERMINAL for event in events] == [False] * (len(events) - 1) + [True]
    assert build.ended
    opened = None
    for event in events:
        match event["type"]:
            case "response.output_item.added":
                assert opened is None
                opened = event["item"]["id"]
            case "response.output_item.done":
                assert event["item"]["id"] == opened
                opened = None
            case _ if "item_id" in event:
                assert event["item_id"] == opened
