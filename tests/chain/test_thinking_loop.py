"""A tool loop with providers that refuse it without what their model thought, through a real chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chat_answers import Answer, call, calls, chunk, refuses, says
from responses_client import ask_all, error_of, text_of, user
from running_chain import RunningChain
from scripted_upstream import KEY, ScriptedUpstream
from upstream_connection import Received

TOOL = {"type": "function", "name": "exec_command", "parameters": {"type": "object"}}
MISSING = "The `reasoning_content` in the thinking mode must be passed back to the API."


def strict(request: Received) -> Answer:
    """Calls a tool twice, and refuses to go on where the thinking of an earlier round is missing."""
    turns = [message for message in request.messages if message["role"] == "assistant"]
    if not all(turn.get("reasoning_content") for turn in turns):
        return refuses(400, {"error": {"message": MISSING, "type": "invalid_request_error"}})
    if len(turns) == 2:
        return says("Done.")
    return calls(chunk(reasoning_content=f"Round {len(turns)}."), call("exec_command", {"cmd": "ls"}, f"call_{len(turns)}"))


def loop(chain: RunningChain, model: str) -> list[dict[str, Any]]:
    """The events of the last round, or of the one that failed."""
    history: list[dict[str, Any]] = [user("go")]
    while True:
        events = ask_all(chain, model=model, input=history, tools=[TOOL], reasoning={"effort": "medium"})
        items = events[-1]["response"]["output"]
        made = [item for item in items if item["type"] == "function_call"]
        history += [*items, *({"type": "function_call_output", "call_id": item["call_id"], "output": "ok"} for item in made)]
        if not made:
            return events


def test_the_thinking_of_each_round_comes_back(start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream) -> None:  # D19
    deepseek = {"model": "deepseek-v4-pro", "provider": "deepseek", "base_url": upstream.url, "api_key": KEY, "slug": "deepseek"}
    forgetful = {**deepseek, "slug": "forgetful", "quirks": {"reasoning_back": "never"}}
    plain = upstream.model(slug="by-its-name", model="DeepSeek-V4")
    chain = start_chain(models=[deepseek, forgetful, plain])

    upstream.script(strict)
    assert text_of(loop(chain, "deepseek")) == "Done."
    sent = upstream.requests[-1].body
    said = [message["reasoning_content"] for message in sent["messages"] if message["role"] == "assistant"]
    assert said == ["Round 0.", "Round 1."]
    assert (sent["reasoning_effort"], sent["thinking"]) == ("high", {"type": "enabled"})

    upstream.script(strict)
    assert text_of(loop(chain, "by-its-name")) == "Done."

    upstream.script(strict)
    assert MISSING in error_of(loop(chain, "forgetful"))["message"]
