"""What the transcripts cannot say in one request: refusals, and what stays the same as a session grows."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.egress_http.dialects.base import Target
from codex_shim.stages.egress_http.dialects.messages.reasoning import sealed, thinking
from codex_shim.stages.egress_http.dialects.messages.request import translate
from hypothesis import given
from hypothesis import strategies as st

TARGET = Target(model="claude-opus-4-6", provider="anthropic")
FUNCTION = {"type": "function", "name": "shell", "parameters": {"type": "object"}}
CUSTOM = {"type": "custom", "name": "apply_patch"}


def sent(target: Target = TARGET, **body: Any) -> Any:
    """The payload as the API reads it."""
    return msgspec.json.decode(msgspec.json.encode(translate({"input": "hi", **body}, target).payload))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"input": "x", "previous_response_id": "resp_1"}, "`previous_response_id`"),  # D24
        ({"input": []}, "`input` is empty"),
        ({"input": "  "}, "`input` is empty"),
        ({"input": [{"type": "reasoning", "summary": []}]}, "`input` is empty"),
        ({"input": 5}, "`input` must be"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0] refers to an item"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "input[0].content[0] is audio"),  # D25
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "input[0].content[0] is the file"),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_sentence(body: dict[str, Any], sentence: str):
    with pytest.raises(HopError) as caught:
        translate(body, TARGET)
    assert sentence in caught.value.failure.message
    assert (caught.value.failure.status, caught.value.failure.code) == (400, "invalid_prompt")


def test_the_output_limit_is_the_models_own_unless_somebody_asks_for_less():
    """D31: one fixed small limit cuts patches in the middle."""
    assert sent()["max_tokens"] == 128_000
    assert sent(target=Target(model="claude-sonnet-4-5"))["max_tokens"] == 64_000
    assert sent(target=Target(model="some-other-model"))["max_tokens"] == 32_000
    assert sent(target=Target(model="some-other-model", max_output_tokens=9_000))["max_tokens"] == 9_000
    assert sent(max_output_tokens=500)["max_tokens"] == 500
    assert sent(max_output_tokens=500_000)["max_tokens"] == 128_000


def test_fields_meant_for_openai_are_never_sent():
    private = ("store", "include", "client_metadata", "prompt_cache_key", "metadata", "user", "truncation", "unknown")
    assert set(sent(**dict.fromkeys(private, "x"), temperature=1, top_p=1, service_tier=["odd"])) == {
        "model",
        "max_tokens",
        "messages",
        "stream",
    }


def test_headers_are_those_of_the_language():
    headers = translate({"input": "hi"}, TARGET).headers
    assert headers == {"anthropic-version": "2023-06-01"}
    budgeted = translate({"input": "hi", "reasoning": {"effort": "high"}}, Target(model="claude-opus-4-5")).headers
    assert budgeted["anthropic-beta"].startswith("interleaved-thinking")


# -- a session ------------------------------------------------------------------------------------------------------------


def turn(number: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the client sends for one turn: first its question, then (with the model's answer) the outputs of the tools."""
    asked: list[dict[str, Any]] = [{"type": "message", "role": "user", "content": f"Question {number}"}]
    if number % 3 == 2:
        asked.insert(0, {"type": "message", "role": "developer", "content": f"The mode is now {number}."})
    image = {"type": "input_image", "image_url": f"data:image/png;base64,AA{number}A"}
    thought = sealed(TARGET, thinking(f"Thought {number}", f"sig{number}=="))
    answered = [
        {"type": "reasoning", "id": f"rs_{number}", "summary": [], "encrypted_content": thought},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": f"Looking {number}"}]},
        {"type": "function_call", "call_id": "call_0", "name": "shell", "arguments": '{"cmd": "ls", "ms": 1.0}'},
        {"type": "custom_tool_call", "call_id": f"patch {number}", "name": "apply_patch", "input": "*** Begin\n é"},
        {"type": "function_call_output", "call_id": "call_0", "output": [{"type": "input_text", "text": "ok"}, image]},
        {"type": "custom_tool_call_output", "call_id": f"patch {number}", "output": "Done"},
    ]
    return asked, answered


def session() -> list[list[dict[str, Any]]]:
    """The `input` of every request of twenty turns, one tool round each."""
    history: list[dict[str, Any]] = [{"type": "message", "role": "developer", "content": "You are Codex."}]
    requests = []
    for number in range(20):
        asked, answered = turn(number)
        history = [*history, *asked]
        requests.append(history)
        history = [*history, *answered]
        requests.append(history)
        history = [*history, {"type": "message", "role": "assistant", "content": f"Answer {number}"}]
    return requests


def blocks(payload: Any, marks: bool) -> list[bytes]:
    """Every block of the prompt, in the order in which the provider reads them."""
    said = [(message["role"], block) for message in payload["messages"] for block in message["content"]]
    prompt = [*(("tool", tool) for tool in payload["tools"]), *(("system", block) for block in payload["system"]), *said]
    return [
        role.encode() + msgspec.json.encode(block if marks else {key: block[key] for key in block if key != "cache_control"})
        for role, block in prompt
    ]


def test_what_was_sent_once_is_sent_again_byte_for_byte():
    """D31: without a prefix that stays, every turn is paid in full. Newer models' signatures depend on it too."""
    before: list[bytes] = []
    for input in session():
        payload = translate({"input": copy.deepcopy(input), "tools": [FUNCTION, CUSTOM]}, TARGET).payload
        now = blocks(payload, marks=False)
        assert now[: len(before)] == before
        assert len(now) > len(before)
        before = now


def test_a_request_reads_from_the_cache_what_the_one_before_it_wrote():
    """At most four marks, and one of them where the request before had its last."""
    last_mark = 0
    for input in session():
        payload = translate({"input": input, "tools": [FUNCTION, CUSTOM]}, TARGET).payload
        marked = [place for place, block in enumerate(blocks(payload, marks=True)) if b"cache_control" in block]
        assert len(marked) <= 4
        assert last_mark == 0 or last_mark in marked
        last_mark = marked[-1]
        assert last_mark == len(blocks(payload, marks=True)) - 1


# -- any history ----------------------------------------------------------------------------------------------------------

texts = st.text("ab é😀 \n", max_size=3)
ids = st.sampled_from(["a", "b", "c", "call with spaces"])
items = st.lists(
    st.one_of(
        st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["user", "assistant", "developer"]), texts),
        st.builds(lambda id: {"type": "function_call", "call_id": id, "name": "shell", "arguments": "{}"}, ids),
        st.builds(lambda id, text: {"type": "custom_tool_call", "call_id": id, "name": "patch", "input": text}, ids, texts),
        st.builds(lambda id, text: {"type": "function_call_output", "call_id": id, "output": text}, ids, texts),
        st.builds(lambda: {"type": "reasoning", "summary": [], "encrypted_content": sealed(TARGET, thinking("t", "s"))}),
        st.builds(lambda: {"type": "reasoning", "summary": [{"type": "summary_text", "text": "x"}]}),
        st.builds(lambda: {"type": "web_search_call", "action": {}}),
    ),
    max_size=14,
)


@given(items, st.booleans())
def test_the_api_takes_any_history(input: list[dict[str, Any]], tools: bool):
    """D17, D18: turns alternate, the user first and last; calls are answered at once, first of all; nothing is blank."""
    payload = sent(input=[*input, {"role": "user", "content": "go"}], tools=[FUNCTION] if tools else [])
    roles = [message["role"] for message in payload["messages"]]
    assert roles == (["user", "assistant"] * len(roles))[: len(roles)]
    assert roles[-1] == "user"
    waiting: list[str] = []
    seen: set[str] = set()
    for message in payload["messages"]:
        results = [block for block in message["content"] if block["type"] == "tool_result"]
        assert message["content"][: len(results)] == results
        assert [result["tool_use_id"] for result in results] == waiting
        waiting = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        assert not seen & set(waiting)
        seen |= set(waiting)
        assert message["role"] == "user" or message["content"][-1]["type"] != "thinking"
        assert all(block["text"].strip() for block in message["content"] if block["type"] == "text")
    assert not waiting
    assert payload.get("tools") or not seen  # tools must be declared where the history has calls
