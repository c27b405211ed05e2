"""Compaction through the real chain, in each of the ways Codex has for it."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from chat_answers import call, calls, refuses, says
from codex_shim.stages.contract import summary
from responses_client import ask_all, error_of, text_of, user
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream

HISTORY = [
    user("fix the bug"),
    {"type": "function_call", "call_id": "call_9", "name": "exec_command", "arguments": '{"cmd":"ls"}'},
    {"type": "function_call_output", "call_id": "call_9", "output": "bug.py"},
]
TRIGGER = {"type": "compaction_trigger"}
TOOLS = [{"type": "function", "name": "exec_command", "parameters": {"type": "object", "properties": {}}}]


@pytest.fixture(scope="module")
def chain(keep_chain: StartChain, kept_provider: ScriptedUpstream) -> RunningChain:
    return keep_chain([kept_provider.model()])


def compact(chain: RunningChain, **more: Any) -> list[dict[str, Any]]:
    return ask_all(chain, input=[*HISTORY, TRIGGER], tools=TOOLS, **more)


def done(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["item"] for event in events if event["type"] == "response.output_item.done"]


def test_a_trigger_is_answered_with_one_compaction_item(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says("The user wants ", "a bug fixed."))
    events = compact(chain)
    assert [summary.text_of(item) for item in done(events)] == ["The user wants a bug fixed."]
    assert done(events)[0]["id"].startswith("cmp_")
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["output"] == done(events)
    assert events[-1]["response"]["usage"]["total_tokens"] == 15
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    sent = provider.requests[0].body
    assert "tools" not in sent
    assert sent["messages"][-1]["role"] == "user"
    assert "shortened" in sent["messages"][-1]["content"]


def test_the_summary_is_what_the_model_sees_from_then_on(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says("Half done."), says("on it"))
    (item,) = done(compact(chain))
    assert text_of(ask_all(chain, input=[item, user("go on")])) == "on it"
    told, asked = provider.requests[1].messages
    assert told["role"] == "user"
    assert told["content"].endswith("Half done.")
    assert asked == {"role": "user", "content": "go on"}


def test_a_model_that_calls_a_tool_instead_is_asked_once_more(chain: RunningChain, provider: ScriptedUpstream) -> None:
    """D23: never an empty summary."""
    provider.script(calls(call("exec_command", {"cmd": "ls"})), says("Here it is."))
    assert [summary.text_of(item) for item in done(compact(chain))] == ["Here it is."]
    assert len(provider.requests) == 2


def test_no_summary_is_a_failure_with_a_sentence(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says(""), says("   "))
    events = compact(chain)
    assert done(events) == []
    assert "asked twice for a summary" in error_of(events)["message"]


def test_what_goes_wrong_upstream_is_said(chain: RunningChain, provider: ScriptedUpstream) -> None:
    overflow = {"error": {"message": "This model's maximum context length is 10 tokens", "code": "context_length_exceeded"}}
    provider.script(refuses(400, overflow))
    assert error_of(compact(chain))["code"] == "context_length_exceeded"
    provider.script(says(""), refuses(500, {"error": {"message": "boom"}}))
    assert "boom" in error_of(compact(chain))["message"]


def test_someone_elses_compaction_is_refused_with_a_sentence(chain: RunningChain) -> None:
    foreign = {"type": "compaction", "encrypted_content": "gAAAAABx"}
    failed = error_of(ask_all(chain, input=[foreign, user("go on")]))
    assert failed["code"] == "invalid_prompt"
    assert "compacted by another model" in failed["message"]


def test_the_summarising_request_of_a_custom_provider_is_an_ordinary_one(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says("A summary."))
    events = ask_all(chain, input=[*HISTORY, user("You are performing a compaction.")], tools=[], parallel_tool_calls=False)
    assert text_of(events) == "A summary."
    assert [message["role"] for message in provider.requests[0].messages] == ["user", "assistant", "tool", "user"]


def test_a_client_that_does_not_stream_gets_the_object(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says("Short."), says("Shorter."), says(""), says(""))
    status, body = post(chain, "/v1/responses", {"model": "scripted", "input": [*HISTORY, TRIGGER]})
    assert (status, [summary.text_of(item) for item in body["output"]]) == (200, ["Short."])
    status, body = post(chain, "/v1/responses/compact", {"model": "scripted", "input": HISTORY, "instructions": "Be brief."})
    assert (status, body["object"], body["usage"]["input_tokens"]) == (200, "response.compaction", 10)
    assert [summary.text_of(item) for item in body["output"]] == ["Shorter."]
    assert body["id"].startswith("resp_")
    status, body = post(chain, "/v1/responses/compact", {"model": "scripted", "input": HISTORY})
    assert status == 502
    assert "asked twice" in body["error"]["message"]


def test_the_demo_model_compacts_and_its_summary_moves_to_another_model(
    chain: RunningChain, provider: ScriptedUpstream, start_chain: StartChain
) -> None:
    demo = start_chain()
    (item,) = done(compact(demo, model="demo"))
    assert summary.text_of(item) == "The user said:\n- fix the bug\n1 tool calls were made."
    status, body = post(demo, "/v1/responses/compact", {"model": "demo", "input": HISTORY})
    assert (status, body["object"]) == (200, "response.compaction")
    provider.script(says("fine"))
    ask_all(chain, input=[item, user("go on")])
    assert "fix the bug" in provider.requests[0].messages[0]["content"]


def post(chain: RunningChain, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    address = urlsplit(chain.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    try:
        headers = {"content-type": "application/json", "authorization": f"Bearer {chain.token}"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
