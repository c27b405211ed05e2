"""The policy rule `repair` before the real Codex CLI: what a model only writes is done."""

from __future__ import annotations

import json
from pathlib import Path

from chat_answers import says
from codex_cli import Codex
from pipelines import INGRESS, POLICY, ROUTER, pipeline
from running_chain import RunningChain, bare_environment, write_files
from scripted_upstream import ScriptedUpstream

INVOKED = '<invoke name="exec_command">\n<parameter name="cmd">echo from-$((40+2))</parameter>\n</invoke>'
COMMAND = f"<function_calls>\n{INVOKED}\n</function_calls>"
PATCH = "*** Add File: a.txt\n+one\n"
WRITTEN = f"<tool_call>{json.dumps({'name': 'apply_patch', 'arguments': {'input': PATCH}})}"


def test_codex_runs_what_a_model_wrote_into_its_text(
    bare_codex: Codex, upstream: ScriptedUpstream, codex_environ: dict[str, str], tmp_path: Path
) -> None:
    text = pipeline(INGRESS, POLICY + 'rules = [{ do = "repair" }]\n', ROUTER)
    file = write_files(tmp_path / "shim", [upstream.model(model="vendor/one", slug="one")], text)
    chain = RunningChain(tmp_path / "shim", bare_environment(tmp_path / "user", codex_environ), file)
    chain.up()
    try:
        bare_codex.use(chain)
        upstream.script(says(f"I look.\n{COMMAND}\n"), says(WRITTEN), says("Done."))
        turn = bare_codex.exec("do it")
        assert (turn.code, [item["text"] for item in turn.items("agent_message")]) == (0, ["I look.\n", "Done."])
        assert [item["aggregated_output"] for item in turn.items("command_execution")] == ["from-42\n"]
        assert (bare_codex.workspace / "a.txt").read_text() == "one\n"
        told = [message["content"] for message in upstream.requests[-1].messages if message["role"] == "tool"]
        assert ["from-42" in told[0], "A a.txt" in told[1]] == [True, True]
    finally:
        chain.down()
