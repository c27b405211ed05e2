"""What is sent through the stage: requests with things no stage can know, and streams of every ending. Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...contract.errors import SERVER_ERROR, Failure
from ...contract.events import Event, ResponseBuilder, Usage

MIB = 1024 * 1024

# One more than JavaScript can count to, and a float that is easily made an integer.
LARGE_INTEGER = 9_007_199_254_740_993
NEW_ITEM = {"type": "dream_sequence", "id": "ds_1", "content": [{"type": "input_smell", "smell": "ozone"}], "z": 1, "a": 2}
NEW_EVENT = {"type": "response.dream.delta", "sequence_number": 2, "zeta": [1, {"b": 1, "a": 2}], "alpha": None}

# Codex's turn metadata is JSON in a header; with many workspaces it outgrows the 8 and 16 KiB that HTTP servers allow by default.
LONG_HEADER = json.dumps({"turn_id": "turn-1", "workspaces": ["w" * 100] * 320})

CODEX_HEADERS = {
    "accept": "text/event-stream",
    "originator": "codex_exec",
    "user-agent": "codex_exec/0.169.0 (conformance)",
    "session-id": "session-1",
    "thread-id": "thread-1",
    "x-client-request-id": "thread-1",
    "x-codex-window-id": "thread-1:0",
    "x-codex-turn-metadata": '{"turn_id":"turn-1"}',
    "x-request-id": "req_conformance-1",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "x-header-of-next-year": "kept",
}
HOP_BY_HOP_HEADERS = {
    "connection": "keep-alive, x-only-this-hop",
    "x-only-this-hop": "1",
    "te": "trailers",
    "proxy-authorization": "Basic bm9ib2R5",
}


def request(model: str, text: str = "Say hello.", **fields: Any) -> bytes:
    """The long form, as ingress hands it on; `fields` go behind what Codex sends."""
    body = {
        "model": model,
        "stream": True,
        "input": [message("developer", "You are tested."), message("user", text)],
        "tools": [_tool()],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "store": False,
        "prompt_cache_key": "cache-1",
    }
    return json.dumps(body | fields, ensure_ascii=False, separators=(",", ":")).encode()


def message(role: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


def _tool() -> dict[str, Any]:
    """Keys against the alphabet, and keys that look like numbers, which some languages sort."""
    properties = {"zeta": {"type": "string"}, "alpha": {"type": "number"}, "10": {"type": "null"}, "9": {"type": "null"}}
    return {"type": "function", "strict": False, "parameters": {"type": "object", "properties": properties}, "name": "probe"}


def _builder(model: str) -> ResponseBuilder:
    numbers = itertools.count(1)
    return ResponseBuilder(model, 1_735_689_600, lambda prefix: f"{prefix}_{next(numbers):032x}")


def answer(model: str, words: list[str], ending: str = "completed") -> list[Event]:
    """The events of one response, whose ids are the same each time."""
    builder = _builder(model)
    events = builder.start()
    for word in words:
        events += builder.text(word)
    return events + _ENDINGS[ending](builder)


def full_answer(model: str) -> list[Event]:
    """A response with an item of each kind."""
    builder = _builder(model)
    events = [*builder.start(), *builder.reasoning("Let me "), *builder.reasoning("see."), *builder.seal_reasoning("opaque")]
    events += [*builder.text("I look "), *builder.text("it up.")]
    events += [*builder.call("function_call", "call_1", "probe"), *builder.call_delta('{"zeta"'), *builder.end_call('{"zeta":"1"}')]
    events += [*builder.call("custom_tool_call", "call_2", "patch"), *builder.call_delta("*** "), *builder.end_call("*** End")]
    return json.loads(json.dumps([*events, *builder.complete(Usage(input=10, output=4, cached=2, reasoning=1))]))


def ids(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of the response, and of its items and calls as they are done."""
    found = [event["response"].get("id") for event in events if event["type"] == "response.created"]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    return [*found, *(item.get(name) for item in done for name in ("id", "call_id") if name in item)]


def cut_in_characters(raw: bytes) -> list[bytes]:
    """Pieces that each end in the middle of a character, as a network may cut them."""
    cuts = [place for place, byte in enumerate(raw) if byte & 0xC0 == 0x80 and raw[place - 1] & 0xC0 == 0xC0]
    return [raw[start:end] for start, end in itertools.pairwise([0, *cuts, len(raw)])]


_ENDINGS: dict[str, Callable[[ResponseBuilder], list[Event]]] = {
    "completed": lambda builder: builder.complete(Usage(input=10, output=4)),
    "failed": lambda builder: builder.fail(Failure(code=SERVER_ERROR, message="the scripted failure")),
    "incomplete": lambda builder: builder.incomplete("max_output_tokens", Usage(input=10, output=4)),
}
