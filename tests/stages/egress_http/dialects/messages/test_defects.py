"""What an earlier program of this kind got wrong with this API, each by its number, shown on the transcripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "fixtures" / "dialects" / "messages"


def response(case: str) -> dict[str, Any]:
    """The response in the terminal event."""
    last = (ROOT / case / "expected.sse").read_text().rstrip().rpartition("\n")[2]
    return json.loads(last.removeprefix("data: "))["response"]


def kinds(case: str) -> list[str]:
    return [item["type"] for item in response(case)["output"]]


@pytest.mark.parametrize(
    ("case", "status", "code"),
    [
        ("error_overloaded", "failed", "server_error"),  # D3
        ("error_behind_call", "failed", "server_error"),  # D3
        ("eof_in_text", "failed", "server_error"),  # D4
        ("eof_behind_text", "failed", "server_error"),  # D4
        ("max_tokens_in_text", "incomplete", None),  # D5
        ("refusal", "failed", "content_policy_violation"),  # D5
        ("context_window", "failed", "context_length_exceeded"),  # D5
        ("whole_message_cut", "incomplete", None),  # D22
    ],
)
def test_a_failure_is_never_shown_as_success(case: str, status: str, code: str | None):
    assert response(case)["status"] == status
    assert (response(case)["error"] or {}).get("code") == code


@pytest.mark.parametrize("case", ["eof_in_call", "max_tokens_in_call", "max_tokens_at_call", "max_tokens_in_freeform"])
def test_half_a_call_is_never_done(case: str):
    """D4."""
    assert not {"function_call", "custom_tool_call"} & set(kinds(case))


def test_text_behind_a_call_is_a_message_of_its_own():
    """D12."""
    assert kinds("text_call_text") == ["message", "function_call", "message"]


def test_a_second_thought_is_an_item_of_its_own():
    """D13."""
    assert kinds("thinking_interleaved") == ["reasoning", "function_call", "reasoning", "function_call"]


def test_an_answer_in_one_piece_is_worth_as_much_as_a_stream():
    """D22."""
    assert kinds("whole_message") == ["reasoning", "message", "function_call", "custom_tool_call"]
    assert response("whole_message")["usage"]["input_tokens"] == 4


@pytest.mark.parametrize("case", ["request_odd_input", "request_blank_text", "request_thinking_of_others"])
def test_nothing_is_sent_that_the_api_refuses(case: str):
    """D18: unsigned thinking, blank text, input that is no object."""
    payload = json.loads((ROOT / case / "expected_request.json").read_bytes())["payload"]
    for block in (block for message in payload["messages"] for block in message["content"]):
        assert block["type"] not in ("thinking", "redacted_thinking")
        assert block["type"] != "text" or block["text"].strip()
        assert block["type"] != "tool_use" or isinstance(block["input"], dict)
