"""A call that the model made, kept by Codex and sent back with its output, is the same call upstream: its id, its name and every
byte of its arguments, however the network cut them. (The messages dialect has this in its own tests, with its blocks.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.events import Event, ResponseBuilder
from codex_shim.stages.egress_http.dialects import DIALECTS, Target
from hypothesis import given, settings
from hypothesis import strategies as st

Run = Callable[..., list[Event]]
Body = dict[str, Any]

LOCAL = Target(model="m", host="127.0.0.1")
TOOLS = [
    {"type": "namespace", "name": "mcp__s", "tools": [{"type": "function", "name": "do it.now"}]},
    {"type": "custom", "name": "c"},
]
BODY: Body = {"model": "slug", "stream": True, "input": [{"type": "message", "role": "user", "content": "hi"}], "tools": TOOLS}
FLAT = "mcp__s__do_it_now"

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
arguments = st.dictionaries(st.text(max_size=4), values, max_size=3)
ids = st.text("abcXYZ019_-", min_size=1, max_size=40)


def frames(*events: Body) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def chat(name: str, id: str, pieces: list[str]) -> bytes:
    def part(**call: Any) -> Body:
        return {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, **call}]}}]}

    rest = [part(function={"arguments": piece}) for piece in pieces]
    end: Body = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    return frames(part(id=id, function={"name": name, "arguments": ""}), *rest, end)


def native(name: str, id: str, pieces: list[str]) -> bytes:
    item = {"type": "function_call", "id": "fc_1", "call_id": id, "name": name, "status": "completed", "arguments": "".join(pieces)}
    place = {"item_id": "fc_1", "output_index": 0}
    kind = "response.function_call_arguments"
    events: list[Body] = [
        {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "output": []}},
        {"type": "response.in_progress", "response": {"id": "resp_1", "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress", "arguments": ""}},
        *({"type": f"{kind}.delta", **place, "delta": piece} for piece in pieces),
        {"type": f"{kind}.done", **place, "arguments": item["arguments"]},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": [item]}},
    ]
    return frames(*({**event, "sequence_number": number} for number, event in enumerate(events)))


def gemini(name: str, id: str, pieces: list[str]) -> bytes:
    call = {"functionCall": {"id": id, "name": name, "args": json.loads("".join(pieces))}}
    return frames({"candidates": [{"content": {"parts": [call]}, "finishReason": "STOP"}]})


def chat_calls(payload: Body) -> Iterator[tuple[str, str, str]]:
    for message in payload["messages"]:
        for call in message.get("tool_calls", []):
            yield call["id"], call["function"]["name"], call["function"]["arguments"]


def native_calls(payload: Body) -> Iterator[tuple[str, str, str]]:
    for item in payload["input"]:
        if item["type"] == "function_call":
            yield item["call_id"], item["name"], item["arguments"]


def gemini_calls(payload: Body) -> Iterator[tuple[str, str, str]]:
    for part in (part for content in payload["contents"] for part in content["parts"] if "functionCall" in part):
        call = part["functionCall"]
        yield call["id"], call["name"], msgspec.json.encode(call["args"]).decode()


SPOKEN = {"chat": (chat, chat_calls), "responses": (native, native_calls), "gemini": (gemini, gemini_calls)}


def there(run: Run, dialect: str, name: str, id: str, text: str, size: int) -> Body:
    pieces = [text[place : place + size] for place in range(0, len(text), size)]
    return run(BODY, [SPOKEN[dialect][0](name, id, pieces)], LOCAL, dialect)[-1]["response"]["output"][-1]


def back(dialect: str, item: Body, id: str) -> list[tuple[str, str, str]]:
    output = {"type": f"{item['type']}_output", "call_id": id, "output": "ok"}
    body = {**BODY, "input": [*BODY["input"], item, output]}
    payload = DIALECTS[dialect].prepare(body, LOCAL, ResponseBuilder("slug", 1), raw=msgspec.json.encode(body)).payload
    return list(SPOKEN[dialect][1](msgspec.json.decode(payload) if isinstance(payload, bytes) else payload))


@pytest.mark.parametrize("dialect", list(SPOKEN))
@settings(deadline=None, max_examples=60)
@given(given=arguments, id=ids, size=st.integers(1, 9))
def test_a_call_survives_the_way_there_and_back(run: Run, dialect: str, given: Body, id: str, size: int) -> None:
    text = msgspec.json.encode(given).decode()
    item = there(run, dialect, FLAT, id, text, size)
    assert (item["call_id"], item["namespace"], item["name"], item["arguments"]) == (id, "mcp__s", "do it.now", text)
    assert back(dialect, item, id) == [(id, FLAT, text)]


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_spaces_and_escapes_of_arguments_survive_where_they_come_as_text(run: Run, dialect: str) -> None:
    text = '{ "b" : "\\u00e9\\/",\n "a":1e3 }'
    item = there(run, dialect, FLAT, "x", text, 2)
    assert item["arguments"] == text
    assert back(dialect, item, "x") == [("x", FLAT, text)]


@pytest.mark.parametrize("dialect", list(SPOKEN))
@settings(deadline=None, max_examples=60)
@given(text=st.text(max_size=30), size=st.integers(1, 9))
def test_freeform_text_survives_the_way_there_and_back(run: Run, dialect: str, text: str, size: int) -> None:
    wrapped = msgspec.json.encode({"input": text}).decode()
    item = there(run, dialect, "c", "x", wrapped, size)
    assert (item["type"], item["call_id"], item["name"], item["input"]) == ("custom_tool_call", "x", "c", text)
    assert back(dialect, item, "x") == [("x", "c", wrapped)]
