"""Any sequence of events a server might send, however odd, becomes one well-formed response."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
from codex_shim.stages.contract.events import Event, ResponseBuilder
from codex_shim.stages.contract.sse import Frame, encode_events
from codex_shim.stages.egress_http.dialects import DIALECTS, Target
from codex_shim.stages.egress_http.dialects.messages.request import translate
from hypothesis import given, settings
from hypothesis import strategies as st

Run = Callable[..., list[Event]]

TARGET = Target(model="claude-opus-4-6", provider="anthropic")
BODY = {
    "input": [{"role": "user", "content": "hi"}],
    "tools": [
        {"type": "function", "name": "f"},
        {"type": "custom", "name": "c"},
        {"type": "tool_search"},
        {"type": "namespace", "name": "mcp__s", "tools": [{"type": "function", "name": "do it.now"}]},
    ],
}

texts = st.sampled_from(["", "a", "é😀", " \n", None, 5])
pieces = st.sampled_from(["", "{", "}", "{}", '{"input": "', 'x\\n"', '"}', "\\ud8", None, {"input": "y"}])
indexes = st.sampled_from([0, 0, 1, 1, 2, None])
contents = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, texts),
    st.builds(lambda text, sig: {"type": "thinking", "thinking": text, "signature": sig}, texts, texts),
    st.builds(lambda data: {"type": "redacted_thinking", "data": data}, texts),
    st.builds(
        lambda id, name, input: {"type": "tool_use", "id": id, "name": name, "input": input},
        st.sampled_from(["x", "y", "", None, 3]),
        st.sampled_from(["f", "c", "tool_search", "zzz", "", None]),
        st.sampled_from([{}, {}, {}, {"input": "z"}, None, [1]]),
    ),
    st.sampled_from([{"type": "server_tool_use", "name": "w"}, {}, None, "odd"]),
)
deltas = st.one_of(
    st.builds(lambda text: {"type": "text_delta", "text": text}, texts),
    st.builds(lambda piece: {"type": "input_json_delta", "partial_json": piece}, pieces),
    st.builds(lambda text: {"type": "thinking_delta", "thinking": text}, texts),
    st.builds(lambda text: {"type": "signature_delta", "signature": text}, texts),
    st.sampled_from([{"type": "citations_delta", "citation": {}}, {}, None, {"type": "text_delta", "text": "\ud83d"}]),
)
reasons = st.sampled_from([None, "end_turn", "tool_use", "max_tokens", "refusal", "pause_turn", "model_context_window_exceeded", 5])
events = st.one_of(
    st.builds(lambda index, block: {"type": "content_block_start", "index": index, "content_block": block}, indexes, contents),
    st.builds(lambda index, delta: {"type": "content_block_delta", "index": index, "delta": delta}, indexes, deltas),
    st.builds(lambda index: {"type": "content_block_stop", "index": index}, indexes),
)
others = st.one_of(
    st.builds(lambda reason: {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 2}}, reasons),
    st.sampled_from(
        [
            {"type": "ping"},
            {"type": "message_start", "message": {"usage": {"input_tokens": 3}}},
            {"type": "message_start"},
            {"type": "message_stop"},
            {"type": "error", "error": {"type": "overloaded_error", "message": "x"}},
            {"type": "novelty", "delta": None},
            "[DONE]",
            "nonsense",
            "",
            "5",
        ]
    ),
)
frames = st.one_of(*[events] * 8, others)


def encode(frame: Any) -> bytes:
    return b"data: " + (frame if isinstance(frame, str) else json.dumps(frame)).encode() + b"\n\n"


def ending(reason: str) -> list[Any]:
    return [{"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 2}}, {"type": "message_stop"}]


@settings(max_examples=80, deadline=None)
@given(st.lists(frames, max_size=14), st.booleans(), st.integers(1, 40))
def test_one_well_formed_response_however_it_is_cut(run: Run, sent: list[Any], proper: bool, size: int):
    upstream = b"".join(encode(frame) for frame in [*sent, *(ending("tool_use") if proper else [])])
    events = run(BODY, [upstream], TARGET, "messages")
    assert encode_events(events)
    pieces = [upstream[place : place + size] for place in range(0, len(upstream), size)]
    assert run(BODY, pieces, TARGET, "messages") == events


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=8))
def test_bytes_of_any_kind_end_in_a_failure(run: Run, sent: list[bytes]):
    assert run(BODY, sent, TARGET, "messages")[-1]["type"] == "response.failed"


def delta(index: int, type: str, **piece: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": type, **piece}}


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
    start = {"type": "content_block_start", "index": index, "content_block": content}
    return b"".join(encode(frame) for frame in [start, *deltas, {"type": "content_block_stop", "index": index}])


def a_call(name: str, id: str, pieces: list[str], index: int = 0) -> bytes:
    deltas = [delta(index, "input_json_delta", partial_json=piece) for piece in pieces]
    return block(index, {"type": "tool_use", "id": id, "name": name, "input": {}}, *deltas)


arguments = st.dictionaries(st.text(max_size=4), st.text(max_size=8) | st.integers(-(10**20), 10**20) | st.booleans() | st.none())


@settings(deadline=None)
@given(arguments, st.text("abcXYZ019_-", min_size=1, max_size=40), st.integers(1, 9), st.booleans())
def test_a_call_survives_the_way_there_and_back(run: Run, given: dict[str, Any], id: str, size: int, spaced: bool):
    """Its id, name, namespace and every byte of its arguments, when the client sends it back with the next request."""
    text = json.dumps(given, ensure_ascii=spaced, separators=(", ", ": ") if spaced else (",", ":"))
    cut = [text[place : place + size] for place in range(0, len(text), size)]
    upstream = a_call("mcp__s__do_it_now", id, cut) + b"".join(map(encode, ending("tool_use")))
    item = run(BODY, [upstream], TARGET, "messages")[-1]["response"]["output"][0]
    assert (item["call_id"], item["namespace"], item["name"], item["arguments"]) == (id, "mcp__s", "do it.now", text)
    output = {"type": "function_call_output", "call_id": id, "output": "ok"}
    payload = translate({**BODY, "input": [*BODY["input"], item, output]}, TARGET).payload
    (use,) = payload["messages"][1]["content"]
    assert (use["id"], use["name"], bytes(use["input"])) == (id, "mcp__s__do_it_now", text.encode())


@settings(deadline=None)
@given(st.text(max_size=30), st.integers(1, 9))
def test_freeform_text_survives_the_way_there_and_back(run: Run, text: str, size: int):
    wrapped = json.dumps({"input": text})
    cut = [wrapped[place : place + size] for place in range(0, len(wrapped), size)]
    events = run(BODY, [a_call("c", "x", cut) + b"".join(map(encode, ending("tool_use")))], TARGET, "messages")
    item = events[-1]["response"]["output"][0]
    assert (item["type"], item["input"]) == ("custom_tool_call", text)
    assert "".join(event["delta"] for event in events if event["type"].endswith("input.delta")) == text
    payload = translate({**BODY, "input": [*BODY["input"], item]}, TARGET).payload
    assert msgspec.json.decode(payload["messages"][1]["content"][0]["input"]) == {"input": text}


def thought(text: str, signature: str) -> bytes:
    deltas = [delta(0, "thinking_delta", thinking=text), delta(0, "signature_delta", signature=signature)]
    return block(0, {"type": "thinking", "thinking": "", "signature": ""}, *deltas)


@settings(deadline=None)
@given(st.text(max_size=300), st.text(min_size=1, max_size=300))
def test_a_thought_goes_back_byte_for_byte_to_its_own_model_only(run: Run, text: str, signature: str):
    upstream = thought(text, signature) + a_call("f", "x", ["{}"], index=1)
    items = run(BODY, [upstream + b"".join(map(encode, ending("tool_use")))], TARGET, "messages")[-1]["response"]["output"]
    back = {**BODY, "input": [*BODY["input"], *items]}
    first = translate(back, TARGET).payload["messages"][1]["content"][0]
    assert first == {"type": "thinking", "thinking": text, "signature": signature}
    for other in (Target(model="claude-opus-4-7", provider="anthropic"), Target(model=TARGET.model, provider="another")):
        assert [block["type"] for block in translate(back, other).payload["messages"][1]["content"]] == ["tool_use"]


def translator(builder: ResponseBuilder) -> Any:
    builder.start()
    return DIALECTS["messages"].prepare(BODY, TARGET, builder).translator


def fed(translator: Any, data: bytes) -> list[str]:
    frames = [Frame(b"", piece.removeprefix(b"data: ")) for piece in data.split(b"\n\n") if piece]
    return [event["type"] for frame in frames for event in translator.feed(frame)]


def test_a_whole_call_is_done_at_once_and_one_that_may_be_cut_is_not(builder: ResponseBuilder):
    """D4: a client runs a call as soon as it is done. The API stops a block in the same way when the limit has cut it off."""
    stream = translator(builder)
    assert "response.output_item.done" in fed(stream, a_call("f", "x", ['{"a":', "1}"]))
    assert "response.output_item.done" not in fed(stream, a_call("f", "y", ['{"a":']))


def test_text_goes_out_at_once_and_is_done_when_something_follows(builder: ResponseBuilder):
    """A message that is done stays with the client even if the stream breaks and the request is repeated."""
    stream = translator(builder)
    start = encode({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "now"}})
    assert "response.output_text.delta" in fed(stream, start)
    assert fed(stream, encode({"type": "content_block_stop", "index": 0})) == []
    assert "response.output_item.done" in fed(stream, a_call("f", "x", ["{}"], index=1))


def test_it_is_settled_once_the_reason_is_known(builder: ResponseBuilder):
    stream = translator(builder)
    assert not stream.settled
    fed(stream, encode(ending("end_turn")[0]))
    assert (stream.settled, stream.ended) == (True, False)
    assert [event["type"] for event in stream.finish()] == ["response.completed"]
