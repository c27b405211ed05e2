"""A session of the real Codex, recorded and then had again without its provider."""

from __future__ import annotations

import json
from pathlib import Path

from chat_answers import call, calls, says
from codex_cli import Codex
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from systems import needs_posix
from working_commands import working

PROMPT = "Count for me."


@needs_posix
def test_a_recorded_session_runs_again_offline(
    codex: Codex,
    chain: RunningChain,
    upstream: ScriptedUpstream,
    start_chain: StartChain,
    codex_launcher: Path,
    codex_environ: dict[str, str],
    tmp_path: Path,
) -> None:
    upstream.script(calls(call("exec_command", {"cmd": "echo from-$((40+2))"})), says("It ", "said 42."))
    file = tmp_path / "session.jsonl"
    with working(chain, "record", "--out", str(file)) as record:
        record.wait_for("Watching")
        first = codex.exec(PROMPT)
        assert (first.code, first.text) == (0, "It said 42."), first.stderr
        assert record.interrupt() == 0
    assert record.stdout.startswith("Wrote 2 exchanges to ")

    with working(chain, "replay", str(file), "--serve") as serving:
        serving.wait_for('"ready"')
        offline = start_chain(models=json.loads(serving.stdout), environ=codex_environ)
        again = Codex(codex_launcher, tmp_path / "offline")
        again.use(offline)
        second = again.exec(PROMPT)
    assert (second.code, second.text) == (0, "It said 42."), second.stderr
    assert [item["aggregated_output"] for item in second.items("command_execution")] == ["from-42\n"]
    assert len(upstream.requests) == 2, "the provider was asked for the first session alone"
