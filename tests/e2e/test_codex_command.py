"""`codex-shim codex`: the real CLI with the chain, and the user's own configuration as it was."""

from __future__ import annotations

import subprocess

import process_tree
from chat_answers import Answer, Wait, call, calls, says
from codex_cli import SECONDS, Codex, Turn
from codex_shim.orchestrator.codex.overrides import VARIABLE
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream
from warm_commands import CLI

FLAGS = ("--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
# What the configuration for the chain of another home may look like; no Codex has all of it at once.
ELSEWHERE = """
model = "large"
model_provider = "codex_shim"

[model_providers.codex_shim]
name = "other"
base_url = "http://127.0.0.1:9/v1"
requires_openai_auth = true
experimental_bearer_token = "other"
http_headers = {"x-codex-shim-token" = "other"}
"""


def begin(chain: RunningChain, codex: Codex, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*CLI, "--home", str(chain.home), "codex", *words],
        cwd=codex.workspace,
        env=codex.environment() | {"CODEX_BIN": str(codex.launcher), "NO_PROXY": "", "no_proxy": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> Turn:
    output, errors = process.communicate(timeout=SECONDS)
    return Turn(process.returncode, output, errors)


def test_a_turn_with_tools_by_overrides_alone_while_nobody_can_read_the_token(
    chain: RunningChain, bare_codex: Codex, upstream: ScriptedUpstream
) -> None:
    bare_codex.configure('# mine\nmodel = "gpt-5.5"\n')
    before = (bare_codex.home / "config.toml").read_bytes()
    gate = upstream.gate()
    upstream.script(
        calls(call("exec_command", {"cmd": f'echo "<${VARIABLE}>"'})),
        Answer(Wait(gate), *says("done").steps),
    )
    running = begin(chain, bare_codex, "-m", "another", "--", "exec", *FLAGS, "--", "go")
    gate.wait_reached()
    shown = [process_tree.shown(process) for process in process_tree.family(running.pid)]
    words = [entry for each in shown for place, entry in each if "environ" not in place]
    gate.open()
    turn = end(running)
    assert (turn.code, turn.text) == (0, "done"), turn.stderr
    assert [item["aggregated_output"] for item in turn.items("command_execution")] == ["<>\n"]
    assert upstream.requests[-1].body["model"] == "vendor/another"
    assert not any(chain.token.encode() in word for word in words)
    assert (bare_codex.home / "config.toml").read_bytes() == before


def test_a_configuration_for_another_chain_does_not_get_in_the_way(
    chain: RunningChain, bare_codex: Codex, upstream: ScriptedUpstream
) -> None:
    bare_codex.configure(ELSEWHERE)
    upstream.script(says("here"))
    turn = end(begin(chain, bare_codex, "exec", *FLAGS, "go"))
    assert (turn.code, turn.text) == (0, "here"), turn.events


def test_the_exit_code_is_that_of_codex(chain: RunningChain, bare_codex: Codex) -> None:
    failed = begin(chain, bare_codex, "exec", "--no-such-flag")
    failed.communicate(timeout=SECONDS)
    assert failed.returncode == 2
