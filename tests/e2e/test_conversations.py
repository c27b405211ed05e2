"""Words between Codex and a model: text, reasoning, a schema, several turns, a summary when the context is full."""

from __future__ import annotations

import json

from chat_answers import DONE, Answer, call, chunk, finish, says
from codex_cli import Codex
from running_chain import RunningChain
from scripted_upstream import KEY, ScriptedUpstream


def test_a_plain_answer_is_shown_with_its_usage(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer(chunk(content="Hel"), chunk(content="lo ✓"), finish("stop", 1200, 34), DONE))
    turn = codex.exec("say hello")
    assert (turn.code, turn.text) == (0, "Hello ✓")
    assert (turn.usage["input_tokens"], turn.usage["output_tokens"]) == (1200, 34)
    (request,) = upstream.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body["model"] == "vendor/large"
    assert [message["role"] for message in request.messages] == ["system", "user", "user"]
    assert request.messages[-1]["content"] == "say hello"


def test_nothing_of_codex_or_of_the_chain_is_told_to_the_provider(
    codex: Codex, chain: RunningChain, upstream: ScriptedUpstream
) -> None:
    upstream.script(says("ok"))
    codex.exec("hi")
    (request,) = upstream.requests
    assert set(request.headers) == {
        "accept",
        "accept-encoding",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
    }
    assert chain.token not in request.text
    assert "client_metadata" not in request.body
    assert "prompt_cache_key" not in request.body


def test_reasoning_is_shown_and_not_sent_back_as_text(codex: Codex, upstream: ScriptedUpstream) -> None:
    thinking = [chunk(reasoning_content="Let me "), chunk(reasoning_content="think.")]
    upstream.script(Answer(*thinking, call("exec_command", {"cmd": "true"}), finish("tool_calls"), DONE), says("ok"))
    turn = codex.exec("hi")
    assert [item["text"] for item in turn.items("reasoning")] == ["Let me think."]
    assert turn.text == "ok"
    assert "Let me think." not in json.dumps([message.get("content") for message in upstream.requests[1].messages])


def test_an_output_schema_reaches_the_provider_as_its_response_format(codex: Codex, upstream: ScriptedUpstream) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
    (codex.workspace / "schema.json").write_text(json.dumps(schema))
    upstream.script(says('{"a":1}'))
    assert codex.exec("hi", "--output-schema", "schema.json").text == '{"a":1}'
    wanted = {"name": "codex_output_schema", "schema": schema, "strict": True}
    assert upstream.requests[0].body["response_format"] == {"type": "json_schema", "json_schema": wanted}


def test_the_chosen_effort_reaches_the_provider(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(says("ok"))
    codex.exec("hi", "-c", 'model_reasoning_effort="high"')
    assert upstream.requests[0].body["reasoning_effort"] == "high"


def test_a_resumed_thread_sends_what_was_said_before(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer(chunk(reasoning_content="Hm."), *says("first").steps), says("second"))
    codex.exec("one")
    assert codex.exec("two", "resume", "--last").text == "second"
    said = [(message["role"], message["content"]) for message in upstream.requests[1].messages[2:]]
    assert said == [("user", "one"), ("assistant", "first"), ("user", "two")]
    assert upstream.requests[1].messages[:2] == upstream.requests[0].messages[:2], "the provider's cache needs the same beginning"


def test_codex_has_the_history_summed_up_when_the_usage_says_the_context_is_full(codex: Codex, upstream: ScriptedUpstream) -> None:
    full = Answer(call("exec_command", {"cmd": "true"}), finish("tool_calls", 190_000), DONE)
    upstream.script(full, says("THE SUMMARY"), says("done"))
    assert codex.exec("hi").text == "done"
    _, compaction, after = upstream.requests
    assert "CONTEXT CHECKPOINT COMPACTION" in compaction.messages[-1]["content"]
    assert "tools" not in compaction.body
    assert "THE SUMMARY" in after.messages[-1]["content"]
    assert not any(message["role"] == "tool" for message in after.messages)


def test_a_provider_named_openai_has_the_history_summed_up_by_the_chain_itself(codex: Codex, upstream: ScriptedUpstream) -> None:
    """By that name Codex asks for a compaction with an item of its own, and wants one `compaction` item back."""
    full = Answer(call("exec_command", {"cmd": "true"}), finish("tool_calls", 190_000), DONE)
    upstream.script(full, says("THE SUMMARY"), says("done"))
    turn = codex.exec("hi", "-c", 'model_providers.codex_shim.name="OpenAI"')
    assert (turn.code, turn.text) == (0, "done")
    assert "THE SUMMARY" in upstream.requests[2].text
