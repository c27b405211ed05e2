"""The gemini dialect in a real chain: a call, its signature, and compaction."""

from __future__ import annotations

from typing import Any

import gemini_rules
import marked
import pytest
from chat_answers import refuses
from codex_shim.stages.contract import summary
from native_answers import gemini
from responses_client import ask_all, error_of, text_of, user
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream

KEY = marked.key("scripted", "AIza-")
TOOL = {"type": "function", "name": "exec_command", "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}}}


@pytest.fixture(scope="module")
def chain(keep_chain: StartChain, kept_provider: ScriptedUpstream) -> RunningChain:
    base_url = kept_provider.url.replace("/v1", "/v1beta")
    return keep_chain(models=[{"model": "gemini-3-pro", "provider": "gemini", "base_url": base_url, "api_key": KEY}])


def done(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["item"] for event in events if event["type"] == "response.output_item.done"]


def test_a_call_and_its_signature_go_round(chain: RunningChain, provider: ScriptedUpstream) -> None:
    call = {"functionCall": {"name": "exec_command", "args": {"cmd": "ls"}}, "thoughtSignature": "SIG=="}
    provider.script(gemini({"text": "I look.", "thought": True}, call), gemini({"text": "Two files."}))
    first = ask_all(chain, "what is here?", tools=[TOOL])
    items = done(first)
    assert [item["type"] for item in items] == ["reasoning", "function_call"]
    assert items[0]["summary"][0]["text"] == "I look."
    assert first[-1]["response"]["usage"]["input_tokens_details"]["cached_tokens"] == 40
    output = {"type": "function_call_output", "call_id": items[1]["call_id"], "output": "a b"}
    assert text_of(ask_all(chain, input=[user("what is here?"), *items, output], tools=[TOOL])) == "Two files."
    sent = provider.requests[1]
    assert sent.path == "/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse"
    assert sent.headers["x-goog-api-key"] == KEY
    assert "authorization" not in sent.headers
    gemini_rules.check(sent.body)
    (part,) = sent.body["contents"][1]["parts"]
    assert part["thoughtSignature"] == "SIG=="


def test_how_long_to_wait_is_said(chain: RunningChain, provider: ScriptedUpstream) -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12s"}
    error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Too fast.", "details": [detail]}
    provider.script(refuses(429, {"error": error}))
    failed = error_of(ask_all(chain))
    assert failed["code"] == "rate_limit_exceeded"
    assert "try again in 12" in failed["message"]


def test_compaction(chain: RunningChain, provider: ScriptedUpstream) -> None:
    history = [
        user("hi"),
        {"type": "function_call", "call_id": "c", "name": "exec_command", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
    ]
    provider.script(gemini({"text": "So far."}), gemini({"text": "on it"}))
    (item,) = done(ask_all(chain, input=[*history, {"type": "compaction_trigger"}], tools=[TOOL]))
    assert summary.text_of(item) == "So far."
    assert "tools" not in provider.requests[0].body
    gemini_rules.check(provider.requests[0].body)
    ask_all(chain, input=[item, user("go on")])
    assert provider.requests[1].body["contents"][0]["parts"][0]["text"].endswith("So far.")
