"""Compaction without any network: the question, what an answer comes to, and our summaries in a later request."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from codex_shim.stages.contract import compaction, summary
from codex_shim.stages.contract.events import Usage

ASKED = {
    "model": "slug",
    "instructions": "Be brief.",
    "tools": [{"type": "function", "name": "f"}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "high"},
    "text": {"format": {"type": "json_schema", "name": "x", "schema": {}}},
    "prompt_cache_key": "k",
    "input": [
        {"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "g"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
        {"type": "compaction_trigger"},
    ],
}


def test_the_question_stands_behind_the_history_and_there_are_no_tools() -> None:
    before = copy.deepcopy(ASKED)
    question = compaction.request(ASKED)
    assert before == ASKED
    assert question["input"][:-1] == ASKED["input"][1:-1]
    assert question["input"][-1]["role"] == "user"
    assert question["input"][-1]["content"][0]["text"] == compaction.PROMPT
    assert (question["tools"], question["tool_choice"], question["stream"]) == ([], "none", True)
    assert {name: question[name] for name in ("model", "instructions", "reasoning", "prompt_cache_key")} == {
        name: ASKED[name] for name in ("model", "instructions", "reasoning", "prompt_cache_key")
    }
    assert "text" not in question


def test_a_text_for_input_is_a_message_too() -> None:
    assert [item["content"][0]["text"] for item in compaction.request({"input": "hi"})["input"]] == ["hi", compaction.PROMPT]


def response(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"status": "completed", "output": list(output), **more}


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (response({"type": "reasoning", "summary": []}, message("All "), message("of it.")), "All \n\nof it."),
        (response(message(" \n ")), ""),
        (response(), ""),
        (response(message("Let me look."), {"type": "function_call", "name": "f"}), ""),
        (response({"type": "custom_tool_call", "name": "f"}), ""),
    ],
)
def test_a_summary_is_words_and_nothing_else(given: dict[str, Any], text: str) -> None:
    outcome = compaction.read(given)
    assert (outcome.text, outcome.failure) == (text, None)


def test_a_summary_that_was_cut_off_says_so() -> None:
    text = compaction.read(response(message("Half"), status="incomplete")).text
    assert text.startswith("Half\n\n[The summary ends here")
    assert compaction.read(response(status="incomplete")).text == ""


@pytest.mark.parametrize(
    ("code", "status"), [("rate_limit_exceeded", 429), ("context_length_exceeded", 400), ("server_error", 502), (None, 502)]
)
def test_a_failure_is_handed_on_with_a_status(code: str | None, status: int) -> None:
    failure = compaction.read(response(status="failed", error={"code": code, "message": "no"})).failure
    assert failure is not None
    assert (failure.code, failure.status, failure.message) == (code or "server_error", status, "no")


def test_usage_goes_over_whole() -> None:
    usage = Usage(input=10, output=5, cached=3, cache_write=2, reasoning=1)
    assert compaction.read(response(usage=usage.wire())).usage == usage


def test_our_summaries_are_shown_as_messages_and_others_stay() -> None:
    foreign = {"type": "compaction", "encrypted_content": "gAAAA"}
    hello = ASKED["input"][1]
    body = {"model": "slug", "input": [summary.item("so far", "cmp_1"), foreign, hello]}
    assert compaction.expand(body)["input"] == [summary.as_message("so far"), foreign, hello]
    assert list(compaction.expand(body)) == ["model", "input"]


def test_a_request_without_summaries_is_the_very_same_object() -> None:
    for body in (ASKED, {"input": "hi"}, {}):
        assert compaction.expand(body) is body
