"""The responses dialect in a real chain: what the upstream says is what the client gets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chat_answers import Answer, Close, refuses
from codex_shim.stages.contract import summary
from native_answers import frame, native, native_frames
from responses_client import ask, ask_all, error_of, text_of, user
from running_chain import RunningChain, StartChain
from scripted_upstream import KEY, ScriptedUpstream

PATCH = {"type": "custom", "name": "apply_patch", "description": "Edit files."}


@pytest.fixture(scope="module")
def chain(keep_chain: StartChain, kept_provider: ScriptedUpstream) -> RunningChain:
    return keep_chain(models=[{"model": "qwen", "provider": "openai-responses", "base_url": kept_provider.url, "api_key": KEY}])


def done(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["item"] for event in events if event["type"] == "response.output_item.done"]


def test_the_bytes_of_the_upstream_are_the_bytes_of_the_client(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(native(text="Hé!", headers={"x-codex-turn-state": "T", "x-request-id": "theirs", "openai-model": "theirs"}))
    with ask(chain, reasoning={"effort": "high"}, client_metadata={"a": "b"}, new_field={"b": 1, "a": 2}) as answer:
        assert answer._response.read() == b"".join(native_frames(text="Hé!"))
        assert (answer.headers["x-codex-turn-state"], answer.headers["x-upstream-request-id"]) == ("T", "theirs")
        assert "openai-model" not in answer.headers
    sent = provider.requests[0]
    assert (sent.path, sent.headers["authorization"]) == ("/v1/responses", f"Bearer {KEY}")
    assert list(sent.body) == ["model", "stream", "input", "reasoning", "new_field"]
    assert sent.body["model"] == "qwen"


def test_the_turn_state_goes_back_and_nothing_else_of_the_client_does(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(native(text="x"))
    ask_all(chain, headers={"x-codex-turn-state": "T", "x-codex-turn-metadata": "{}", "session-id": "s"})
    sent = provider.requests[0].headers
    assert sent["x-codex-turn-state"] == "T"
    assert not {"x-codex-turn-metadata", "session-id", "originator"} & sent.keys()


def test_a_client_that_does_not_stream_gets_the_response_of_the_end(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(native(text="whole"))
    with ask(chain, stream=False, codex=False) as answer:
        body = answer.json()
    assert (body["id"], body["status"], body["usage"]["total_tokens"]) == ("resp_theirs", "completed", 27)
    assert body["output"][0]["content"][0]["text"] == "whole"
    assert provider.requests[0].body["stream"] is True


def test_an_end_without_a_terminal_event_and_a_bare_error_are_failures(chain: RunningChain, provider: ScriptedUpstream) -> None:
    half = native_frames(text="half")[:3]
    error = frame({"type": "error", "code": "rate_limit_exceeded", "message": "Please try again in 2s."})
    provider.script(Answer(*half), Answer(*half, Close()), Answer(*half, error), Answer(*half, b"data: [DONE]\n\n"))
    codes = []
    for _ in range(4):
        events = ask_all(chain)
        assert events[-1]["response"]["id"] == "resp_theirs"
        assert done(events) == []
        codes.append(error_of(events)["code"])
    assert codes == ["server_error", "server_error", "rate_limit_exceeded", "server_error"]


def test_freeform_calls_go_round_where_the_server_knows_functions_only(chain: RunningChain, provider: ScriptedUpstream) -> None:
    call = {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "c1",
        "name": "apply_patch",
        "arguments": json.dumps({"input": "*** é"}),
    }
    provider.script(native(call), native(text="ok"))
    (item,) = done(ask_all(chain, tools=[PATCH]))
    assert (item["type"], item["id"], item["input"]) == ("custom_tool_call", "ctc_1", "*** é")
    output = {"type": "custom_tool_call_output", "call_id": "c1", "output": "Done!"}
    assert text_of(ask_all(chain, input=[user("go"), item, output], tools=[PATCH])) == "ok"
    assert provider.requests[0].body["tools"][0]["type"] == "function"
    assert [each["type"] for each in provider.requests[1].body["input"]] == ["message", "function_call", "function_call_output"]


def test_limits_come_back_with_a_refusal(chain: RunningChain, provider: ScriptedUpstream) -> None:
    """D30."""
    provider.script(refuses(429, {"error": {"message": "slow"}}, {"retry-after": "7", "x-ratelimit-remaining-tokens": "0"}))
    with ask(chain, codex=False) as answer:
        assert (answer.status, answer.headers["retry-after"]) == (429, "7")


def test_compaction_is_ours_and_is_shown_as_a_message(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(native(text="So far so good."), native(text="on it"))
    (item,) = done(ask_all(chain, input=[user("hi"), {"type": "compaction_trigger"}], tools=[PATCH]))
    assert summary.text_of(item) == "So far so good."
    assert provider.requests[0].body["tools"] == []
    ask_all(chain, input=[item, user("go on")])
    told = provider.requests[1].body["input"][0]
    assert told["role"] == "user"
    assert told["content"][0]["text"].endswith("So far so good.")
