"""Items one by one; whole histories are among the transcripts."""

from typing import Any

import pytest
from codex_shim.stages.egress_http.dialects.base import Target
from codex_shim.stages.egress_http.dialects.chat.request import ChatRequest, translate


def request(*items: Any) -> ChatRequest:
    return translate({"input": [{"role": "user", "content": "hi"}, *items]}, Target(model="m"))


def messages(*items: Any) -> list[dict[str, Any]]:
    return request(*items).payload["messages"][1:]


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ("", "{}"),
        (None, "{}"),
        ({"a": 1}, '{"a":1}'),
        ("{cut", '{"input":"{cut"}'),
        ("[1]", '{"input":"[1]"}'),
    ],
)
def test_the_arguments_of_a_call_are_always_an_object(arguments: Any, sent: str):
    """Chat templates parse them; one bad call would spoil the thread for good."""
    called, _ = messages({"type": "function_call", "call_id": "a", "name": "f", "arguments": arguments})
    assert called["tool_calls"][0]["function"]["arguments"] == sent


@pytest.mark.parametrize(
    "item",
    [{"type": "computer_call", "action": {}}, {"type": "file_search_call"}, {"type": ["odd"], "x": 1}, {"no": "type"}],
)
def test_what_has_no_chat_form_is_neither_dropped_nor_fatal(item: dict[str, Any]):
    made = request(item)
    assert len(made.payload["messages"]) == 2
    assert len(made.notes) == 1


def test_an_output_may_be_anything():
    call = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
    for output, text in (
        ("x", "x"),
        (None, ""),
        ([], ""),
        ({"ok": True}, '{"ok":true}'),
        ([{"type": "input_text", "text": "y"}], "y"),
    ):
        assert messages(call, {"type": "function_call_output", "call_id": "a", "output": output})[1]["content"] == text


def test_reasoning_is_not_passed_off_as_something_the_model_said():
    made = request(
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "secret"}]}, {"role": "user", "content": "go"}
    )
    assert "secret" not in str(made.payload)
    assert "reasoning" in made.notes[0]


def test_a_search_that_found_nothing_says_so():
    found = messages({"type": "tool_search_call", "call_id": "a"}, {"type": "tool_search_output", "call_id": "a", "tools": []})
    assert found[1]["content"] == "No tools were found."
