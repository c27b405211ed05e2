"""Tools in namespaces, flattened for the model and restored for Codex: an MCP server's, and the sub-agents'."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from chat_answers import Answer, call, calls, says
from codex_cli import Codex
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream
from upstream_connection import Received

SERVER = Path(__file__).parent / "mcp_server.py"
PROMPT = "have it written"
TASK = "write a poem"


def offered(request: Received) -> dict[str, dict[str, object]]:
    return {tool["function"]["name"]: tool["function"] for tool in request.body["tools"]}


def test_a_tool_of_an_mcp_server_is_called_under_its_flat_name(
    bare_codex: Codex, chain: RunningChain, upstream: ScriptedUpstream
) -> None:
    arguments = json.dumps(["-P", str(SERVER)])
    bare_codex.use(chain, f"\n[mcp_servers.sums]\ncommand = {json.dumps(sys.executable)}\nargs = {arguments}\n")
    upstream.script(calls(call("mcp__sums__add_numbers", {"a": 2, "b": 40})), says("42"))
    turn = bare_codex.exec("what is 2 + 40?")
    assert (turn.code, turn.text) == (0, "42")
    (used,) = turn.items("mcp_tool_call")
    assert (used["server"], used["tool"], used["status"]) == ("sums", "add-numbers", "completed")
    assert used["result"]["content"] == [{"type": "text", "text": "the sum is 42"}]

    first, second = upstream.requests
    tool = offered(first)["mcp__sums__add_numbers"]
    assert "Adds two numbers." in str(tool["description"])
    assert set(tool["parameters"]["properties"]) == {"a", "b"}  # pyright: ignore[reportIndexIssue]
    *_, asked, result = second.messages
    assert asked["tool_calls"][0]["function"]["name"] == "mcp__sums__add_numbers"
    assert result["content"].endswith("the sum is 42")


def test_a_sub_agent_works_and_its_result_comes_back(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(parent_and_child)
    turn = codex.exec(PROMPT)
    assert (turn.code, turn.text) == (0, "It wrote: roses are red")
    assert "multi_agent_v1__spawn_agent" in offered(upstream.requests[0])
    child = [request for request in upstream.requests if not is_parent(request)]
    assert len(child) == 1
    assert child[0].messages[-1]["content"] == TASK


def parent_and_child(request: Received) -> Answer:
    """The parent spawns, waits and reports; whatever else comes is the child. Both ask the same upstream, in either order."""
    if not is_parent(request):
        return says("roses are red")
    results = [message["content"] for message in request.messages if message["role"] == "tool"]
    if not results:
        return calls(call("multi_agent_v1__spawn_agent", {"message": TASK}, "call_spawn"))
    if len(results) == 1:
        agent = re.search(r'"agent_id":\s*"([^"]+)"', results[0])
        assert agent, results[0]
        return calls(call("multi_agent_v1__wait_agent", {"targets": [agent[1]], "timeout_ms": 60_000}, "call_wait"))
    found = "roses are red" if "roses are red" in results[1] else results[1]
    return says(f"It wrote: {found}")


def is_parent(request: Received) -> bool:
    return any(message["content"] == PROMPT for message in request.messages)
