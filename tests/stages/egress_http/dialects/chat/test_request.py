"""What the transcripts cannot say in one request: refusals, and what stays the same as a session grows."""

import copy
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.egress_http.dialects.base import Target
from codex_shim.stages.egress_http.dialects.chat.request import translate
from hypothesis import given
from hypothesis import strategies as st

TARGET = Target(model="m")
FUNCTION = {"type": "function", "name": "shell", "parameters": {"type": "object"}}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"input": "x", "previous_response_id": "resp_1"}, "`previous_response_id`"),
        ({"input": "x", "conversation": "conv_1"}, "`conversation`"),
        ({"input": "x", "prompt": {"id": "p"}}, "`prompt`"),
        ({"input": []}, "`input` is empty"),
        ({}, "`input` is empty"),
        ({"input": 5}, "`input` must be"),
        ({"input": ["x"]}, "input[0] is not an object"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0] refers to an item"),
        (
            {"input": [{"role": "user", "content": "a"}, {"type": "compaction", "encrypted_content": "x"}]},
            "input[1] is a history compacted",
        ),
        ({"input": [{"type": "compaction_trigger"}]}, "input[0] asks for a compaction"),
        ({"input": [{"type": "function_call", "call_id": "a", "arguments": "{}"}]}, "input[0] is a call without a name"),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_sentence(body: dict[str, Any], sentence: str):
    with pytest.raises(HopError) as caught:
        translate(body, TARGET)
    assert sentence in caught.value.failure.message
    assert (caught.value.failure.status, caught.value.failure.code) == (400, "invalid_prompt")


def opening() -> list[dict[str, Any]]:
    return [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "You are Codex."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "<environment_context/>"}]},
    ]


def turn(number: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the client sends for one turn: first its question, then (with the model's answer) the outputs of the tools."""
    asked: list[dict[str, Any]] = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": f"Question {number}"}]}
    ]
    if number % 3 == 2:
        asked.insert(0, {"type": "message", "role": "developer", "content": f"The mode is now {number}."})
    image = {"type": "input_image", "image_url": f"data:image/png;base64,AA{number}A"}
    answered = [
        {"type": "reasoning", "id": f"rs_{number}", "summary": [{"type": "summary_text", "text": "Hm"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": f"Looking {number}"}]},
        {"type": "function_call", "call_id": "call_0", "name": "shell", "arguments": '{"cmd": "ls"}'},
        {"type": "custom_tool_call", "call_id": f"patch {number}", "name": "apply_patch", "input": "*** Begin\n é"},
        {"type": "function_call_output", "call_id": "call_0", "output": [{"type": "input_text", "text": "ok"}, image]},
        {"type": "custom_tool_call_output", "call_id": f"patch {number}", "output": "Done"},
    ]
    return asked, answered


def requests_of_a_session() -> list[list[dict[str, Any]]]:
    """The `input` of every request of ten turns, one tool round each."""
    history, requests = opening(), []
    for number in range(10):
        asked, answered = turn(number)
        history = [*history, *asked]
        requests.append(history)
        history = [*history, *answered]
        requests.append(history)
        history = [*history, {"type": "message", "role": "assistant", "content": f"Answer {number}"}]
    return requests


def test_what_was_sent_once_is_sent_again_byte_for_byte():
    """Providers charge a fraction for a prefix they know, and only for one that is the same to the byte."""
    before: list[bytes] = []
    for input in requests_of_a_session():
        payload = translate({"input": copy.deepcopy(input), "tools": [FUNCTION]}, TARGET).payload
        messages = [msgspec.json.encode(message) for message in payload["messages"]]
        assert messages[: len(before)] == before
        assert len(messages) > len(before)
        before = messages


def test_fields_meant_for_openai_are_never_sent():
    private = (
        "store",
        "include",
        "client_metadata",
        "prompt_cache_key",
        "service_tier",
        "metadata",
        "user",
        "truncation",
        "unknown",
    )
    payload = translate({"input": "hi", **dict.fromkeys(private, "x")}, TARGET).payload
    assert set(payload) == {"model", "messages", "stream", "stream_options"}


texts = st.text("ab é😀", max_size=3)
ids = st.sampled_from(["a", "b", "c", "call with spaces"])
items = st.lists(
    st.one_of(
        st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["user", "assistant", "developer"]), texts),
        st.builds(lambda id: {"type": "function_call", "call_id": id, "name": "shell", "arguments": "{}"}, ids),
        st.builds(lambda id, text: {"type": "custom_tool_call", "call_id": id, "name": "patch", "input": text}, ids, texts),
        st.builds(lambda id, text: {"type": "function_call_output", "call_id": id, "output": text}, ids, texts),
        st.builds(lambda: {"type": "reasoning", "summary": []}),
        st.builds(lambda: {"type": "web_search_call", "action": {}}),
    ),
    max_size=14,
)


@given(items)
def test_strict_servers_take_any_history(input: list[dict[str, Any]]):
    """One system message at most, in front; every call answered at once, in order, exactly once; no answer without its call."""
    messages = translate({"input": [*input, {"role": "user", "content": "go"}]}, TARGET).payload["messages"]
    assert all(message["role"] != "system" for message in messages[1:])
    waiting: list[str] = []
    seen: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0)
            continue
        assert not waiting
        assert message["content"] or message.get("tool_calls")
        waiting = [call["id"] for call in message.get("tool_calls", [])]
        assert not seen & set(waiting)
        seen |= set(waiting)
    assert not waiting
