"""What rules save, measured: a session of the real Codex, recorded, then asked again of the same chain with rules."""

from __future__ import annotations

import json
from pathlib import Path

from chat_answers import Answer, call, calls, chunk, finish
from codex_cli import Codex
from pipelines import INGRESS, POLICY, ROUTER, pipeline
from running_chain import StartChain
from scripted_upstream import ScriptedUpstream
from systems import needs_posix
from upstream_connection import Received
from working_commands import working

TURNS = 20
RULES = 'rules = [{ do = "dedupe" }, { do = "trim", above = 1000, head = 300, tail = 300, keep = 2, step = 4 }]\n'


def agent(request: Received) -> Answer:
    """Looks once in each turn, and tells what it has seen last. Its usage is the size of what it was asked."""
    last = request.messages[-1]
    if last["role"] == "user":
        number = sum(message["role"] == "user" for message in request.messages)
        answer = calls(call("exec_command", {"cmd": f"seq {number % 5} 400"}, f"call_{number}"))
    else:
        answer = Answer(chunk(content=f"The first line is {_first_line(request, last['content'])}."), finish("stop"))
    usage = {"prompt_tokens": len(request.raw) // 4, "completion_tokens": 5, "total_tokens": len(request.raw) // 4 + 5}
    return Answer(*[{**step, "usage": usage} if isinstance(step, dict) and "usage" in step else step for step in answer.steps])


def _first_line(request: Received, output: str) -> str:
    """Where an output is said to be that of an earlier call, a model looks there."""
    if "is the same as that of" in output:
        named = output.partition("that of ")[2].partition(",")[0]
        output = next(message["content"] for message in request.messages if message.get("tool_call_id") == named)
    return next(line for line in output.splitlines() if line.isdigit())


@needs_posix
def test_dedupe_and_trim_save_tokens_and_the_agent_does_the_same(
    bare_codex: Codex, start_chain: StartChain, upstream: ScriptedUpstream, codex_environ: dict[str, str], tmp_path: Path
) -> None:
    chain = start_chain([upstream.model()], pipeline(INGRESS, POLICY, ROUTER), codex_environ)
    bare_codex.use(chain)
    upstream.script(agent)
    file = tmp_path / "session.jsonl"
    with working(chain, "record", "--out", str(file)) as record:
        record.wait_for("Watching")
        with bare_codex.app_server() as server:
            thread = server.thread()
            said = [thread.turn(f"Look, {number}", "scripted").text for number in range(TURNS)]
        assert record.interrupt() == 0
    assert record.stdout.startswith(f"Wrote {2 * TURNS} exchanges to ")
    assert set(said) == {f"The first line is {number}." for number in range(5)}

    (chain.home / "chain.toml").write_text(pipeline(INGRESS, POLICY + RULES, ROUTER))
    assert "policy: its configuration changed" in chain.cli("pipeline", "reload").stdout
    compared = json.loads(chain.cli("replay", str(file), "--compare", "--json").stdout)
    assert all(each["same_text"] and each["same_calls"] for each in compared["exchanges"])
    before, after = compared["sum"]["before"]["input"], compared["sum"]["after"]["input"]
    print(f"{before} → {after} tokens")
    assert after < 0.9 * before
