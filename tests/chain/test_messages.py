"""The messages dialect in a real chain, against an upstream that speaks as the Anthropic API does."""

from __future__ import annotations

from typing import Any

import marked
import pytest
from chat_answers import Answer, Silence, refuses
from messages_answers import event, message, started, text, thinking, tool_use
from responses_client import ask, ask_all, error_of, text_of, user
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream

KEY = marked.key("scripted", "sk-ant-")
TOOL = {"type": "function", "name": "exec_command", "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}}}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Edit files."}


@pytest.fixture(scope="module")
def claude(keep_chain: StartChain, kept_provider: ScriptedUpstream) -> RunningChain:
    row = {"model": "claude-opus-4-6", "provider": "anthropic", "base_url": kept_provider.url, "api_key": KEY}
    return keep_chain(models=[row])


def done(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["item"] for event in events if event["type"] == "response.output_item.done"]


def test_thinking_text_and_calls_go_round(claude: RunningChain, provider: ScriptedUpstream) -> None:
    patch = "*** Begin Patch\n+é\n*** End Patch"
    provider.script(
        message(
            thinking("Let me see.", "c2ln/+=="),
            text("I will ", "look."),
            tool_use("exec_command", {"cmd": "ls"}, "toolu_a"),
            tool_use("apply_patch", {"input": patch}, "toolu_b"),
            stop_reason="tool_use",
            cache_read_input_tokens=90,
        ),
        message(text("Done.")),
    )
    first = ask_all(claude, "go", tools=[TOOL, PATCH], reasoning={"effort": "high", "summary": "auto"})
    assert [item["type"] for item in done(first)] == ["reasoning", "message", "function_call", "custom_tool_call"]
    assert done(first)[3]["input"] == patch
    assert first[-1]["response"]["usage"]["input_tokens"] == 100

    outputs = [
        {"type": "function_call_output", "call_id": "toolu_a", "output": "a.txt"},
        {"type": "custom_tool_call_output", "call_id": "toolu_b", "output": "Done!"},
    ]
    second = ask_all(claude, input=[user("go"), *done(first), *outputs], tools=[TOOL, PATCH])
    assert text_of(second) == "Done."

    sent = provider.requests[1]
    assert sent.path == "/v1/messages"
    assert sent.headers["x-api-key"] == KEY
    assert sent.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in sent.headers
    asked, said, results = sent.messages
    assert asked["content"][0]["text"] == "go"
    assert said["content"] == [
        {"type": "thinking", "thinking": "Let me see.", "signature": "c2ln/+=="},
        {"type": "text", "text": "I will look."},
        {"type": "tool_use", "id": "toolu_a", "name": "exec_command", "input": {"cmd": "ls"}},
        {"type": "tool_use", "id": "toolu_b", "name": "apply_patch", "input": {"input": patch}},
    ]
    assert [result["tool_use_id"] for result in results["content"]] == ["toolu_a", "toolu_b"]


def test_a_client_that_leaves_is_noticed_upstream(claude: RunningChain, provider: ScriptedUpstream) -> None:
    begun = event("content_block_start", index=0, content_block={"type": "text", "text": "first"})
    provider.script(Answer(started(), begun, Silence()))
    with ask(claude) as answer:
        assert next(event for event in answer.events() if event["type"] == "response.output_text.delta")["delta"] == "first"
    provider.wait_for_request().wait_until_left()


def test_errors_are_failures_with_the_providers_sentence(claude: RunningChain, provider: ScriptedUpstream) -> None:
    """D3, D5: inside a stream, before it, and as a stop reason."""
    overloaded = {"type": "overloaded_error", "message": "Overloaded"}
    for answer in (Answer(started(), event("error", error=overloaded)), refuses(529, {"type": "error", "error": overloaded})):
        provider.script(answer)
        error = error_of(ask_all(claude))
        assert error["code"] == "server_error"
        assert "Overloaded" in error["message"]
    too_long = {"type": "invalid_request_error", "message": "prompt is too long: 3 tokens > 2 maximum"}
    provider.script(refuses(400, {"type": "error", "error": too_long}))
    assert error_of(ask_all(claude))["code"] == "context_length_exceeded"
    provider.script(message(text("Half"), stop_reason="max_tokens"))
    assert ask_all(claude)[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_a_used_up_limit_says_how_long_to_wait(claude: RunningChain, provider: ScriptedUpstream) -> None:
    """D30: for Codex in the sentence, for others in the header."""
    limited = {"type": "error", "error": {"type": "rate_limit_error", "message": "This would exceed your limit."}}
    headers = {"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2100-01-01T00:00:00Z"}
    provider.script(refuses(429, limited, {"retry-after": "2"}), refuses(429, limited, headers))
    error = error_of(ask_all(claude))
    assert (error["code"], "try again in 2s" in error["message"].lower()) == ("rate_limit_exceeded", True)
    with ask(claude, codex=False) as answer:
        assert answer.status == 429
        assert int(answer.headers["retry-after"]) > 1_000_000
