"""The real Codex with the model of a Cursor subscription, whose program is one that costs nothing.

The model calls Codex's tools by tags in its text; `{nonce}` is filled in by the fake from its prompt, as a model would.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from shlex import join
from typing import Any

import pytest
from codex_cli import Codex, Turn
from codex_shim.orchestrator import loopback
from fake_cursor_agent import FakeCursorAgent, Step
from png import PNG
from responses_client import ask, ask_all, text_of
from running_chain import COMMAND_SECONDS, RunningChain, bare_environment, write_files
from systems import needs_posix
from waiting import until
from warm_commands import CLI

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "codex-shim-install-cursor-composer"
SERVER = Path(__file__).parent / "mcp_server.py"
SLUG = "composer-2-5"
DONE: Step = {"result": {}}
CREATE = "*** Begin Patch\n*** Add File: notes/a.txt\n+one\n+two ✓\n+\n+\tfour\n*** End Patch\n"
EDIT = "*** Begin Patch\n*** Update File: notes/a.txt\n@@\n one\n-two ✓\n+zwei\n \n*** End Patch\n"

pytestmark = needs_posix


@pytest.fixture(scope="module")
def kept_agent(tmp_path_factory: pytest.TempPathFactory) -> FakeCursorAgent:
    return FakeCursorAgent(tmp_path_factory.mktemp("cursor") / "agent")


@pytest.fixture(scope="module")
def subscribed(
    kept_agent: FakeCursorAgent, codex_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningChain]:
    """A chain with nothing but this subscription: one slot, and one may wait."""
    folder = tmp_path_factory.mktemp("subscribed")
    text = (ROOT / "pipeline.toml").read_text("utf-8") + "\n[egress.cursor]\nslots = 1\nqueue = 1\n"
    environ = bare_environment(folder / "user", {**codex_environ, "CURSOR_AGENT_BIN": str(kept_agent.binary)})
    chain = RunningChain(folder / "shim", environ, write_files(folder / "shim", None, text))
    chain.up()
    until(lambda: SLUG in (chain.home / "custom_model_catalog.json").read_text("utf-8"), "the login is seen")
    yield chain
    chain.down()


@pytest.fixture
def agent(kept_agent: FakeCursorAgent) -> Iterator[FakeCursorAgent]:
    kept_agent.forget()
    yield kept_agent
    until(lambda: not kept_agent.living(), "nothing of what was started is left")


@pytest.fixture
def codex(bare_codex: Codex, subscribed: RunningChain) -> Codex:
    bare_codex.use(subscribed)
    return bare_codex


def call(name: str, body: str) -> str:
    """As the model writes it."""
    return f'<call-{{nonce}} name="{name}">{body}</call-{{nonce}}>'


def command(line: str) -> str:
    return call("exec_command", json.dumps({"cmd": line}))


def says(*texts: str) -> list[Step]:
    return [*({"say": text} for text in texts), DONE]


def told(prompt: str) -> list[tuple[str, str]]:
    """The entries of a prompt in their order: what each of them is, and what it holds."""
    nonce = nonce_of(prompt)
    entries = re.findall(rf"^<(\w+)-{nonce}([^>]*)>(.*?)</\1-{nonce}>", conversation(prompt), re.M | re.S)
    named = [(kind, re.sub(r' id="[^"]*"', "", about) if kind == "call" else "", text) for kind, about, text in entries]
    return [(kind + about, text.strip("\n")) for kind, about, text in named]


def nonce_of(prompt: str) -> str:
    found = re.search(r"<user-([0-9a-f]{12})>", prompt)
    assert found
    return found[1]


def conversation(prompt: str) -> str:
    """All but what holds for one answer alone."""
    return prompt.partition("# How to answer")[0]


def in_order(turn: Turn) -> Turn:
    assert (turn.code, turn.reconnects) == (0, []), (turn.events, turn.stderr)
    return turn


def test_a_session_with_commands_and_patches(codex: Codex, agent: FakeCursorAgent) -> None:
    """Several turns, each a process of Codex, and every request to the model a process of its own."""
    (codex.workspace / "img.png").write_bytes(PNG)

    agent.plays_in_turn([{"think": "Hm."}, *says("Hello", " there.")])
    turn = in_order(codex.exec("hello"))
    assert turn.text == "Hello there."
    assert turn.usage["input_tokens"] == 117
    assert [item["text"] for item in turn.items("reasoning")] == ["Hm."]

    agent.plays_in_turn(
        [*says("I look. ", command("echo from-$((40+2)); exit 3")), {"say": "Output: made up"}], says("It said from-42.")
    )
    turn = in_order(codex.exec("run it", "resume", "--last"))
    assert turn.text == "It said from-42."
    (ran,) = turn.items("command_execution")
    assert (ran["aggregated_output"], ran["exit_code"]) == ("from-42\n", 3)

    agent.plays_in_turn(says(call("apply_patch", "\n" + CREATE)), says(call("apply_patch", "\n" + EDIT)), says("Written."))
    turn = in_order(codex.exec("write it", "resume", "--last"))
    assert [change["kind"] for item in turn.items("file_change") for change in item["changes"]] == ["add", "update"]
    assert (codex.workspace / "notes/a.txt").read_bytes() == b"one\nzwei\n\n\tfour\n"

    agent.plays_in_turn(says("Both.\n", command("echo left"), "\n", command("echo right")), says("Both ran."))
    turn = in_order(codex.exec("run both", "resume", "--last", "-i", "img.png"))
    assert sorted(item["aggregated_output"] for item in turn.items("command_execution")) == ["left\n", "right\n"]
    assert [item["text"].strip() for item in turn.items("agent_message")] == ["Both.", "Both ran."]

    assert len(agent.prompts) == 1 + 2 + 3 + 2 == len(agent.started)
    assert {started["cwd"] for started in agent.started} == {str(codex.workspace)}, "Codex says where it works"
    for shorter, longer in pairwise(agent.prompts):
        assert conversation(longer).startswith(conversation(shorter).rstrip()), "by which Cursor finds its cache"
    entries = told(agent.prompts[-1])
    begin = entries.index(("user", "hello"))
    assert {kind for kind, _ in entries[:begin]} == {"tools", "developer", "user"}
    assert [(kind, text) for kind, text in entries[begin:] if kind != "output"] == [
        ("user", "hello"),
        ("assistant", "Hello there."),
        ("user", "run it"),
        ("assistant", "I look. "),
        ('call name="exec_command"', '{"cmd": "echo from-$((40+2)); exit 3"}'),
        ("assistant", "It said from-42."),
        ("user", "write it"),
        ('call name="apply_patch"', CREATE.strip("\n")),
        ('call name="apply_patch"', EDIT.strip("\n")),
        ("assistant", "Written."),
        ("user", entries[-6][1]),
        ("assistant", "Both."),
        ('call name="exec_command"', '{"cmd": "echo left"}'),
        ('call name="exec_command"', '{"cmd": "echo right"}'),
    ]
    assert entries[-6][1].endswith("run both")
    outputs = [text for kind, text in entries if kind == "output"]
    said = ("exited with code 3", "A notes/a.txt", "M notes/a.txt", "left", "right")
    assert [words in text for words, text in zip(said, outputs, strict=True)] == [True] * len(said)
    assert agent.prompts[-1].endswith("\n\nContinue.\n")


def test_a_tool_of_an_mcp_server_is_called_by_its_tag(codex: Codex, subscribed: RunningChain, agent: FakeCursorAgent) -> None:
    arguments = json.dumps(["-P", str(SERVER)])
    codex.use(subscribed, f"\n[mcp_servers.sums]\ncommand = {json.dumps(sys.executable)}\nargs = {arguments}\n")
    agent.plays_in_turn(says(call("mcp__sums__add_numbers", '{"a": 2,\n "b": 40}')), says("42"))
    turn = in_order(codex.exec("what is 2 + 40?"))
    assert turn.text == "42"
    (used,) = turn.items("mcp_tool_call")
    assert (used["server"], used["tool"], used["status"]) == ("sums", "add-numbers", "completed")
    assert "## mcp__sums__add_numbers\n" in agent.prompts[0]
    *_, (kind, _), (_, output) = told(agent.prompts[1])
    assert kind == 'call name="mcp__sums__add_numbers"'
    assert output.endswith("the sum is 42")


def test_an_interrupted_turn_ends_the_program_and_the_next_one_works(codex: Codex, agent: FakeCursorAgent) -> None:
    agent.plays({"fork": {"setsid": True, "ignore": ["SIGTERM"], "hold": True}}, {"say": "Once upon"}, {"hang": True})
    turn = codex.start("tell me a long story")
    until(lambda: agent.noted("hanging"), "it hangs")
    turn.interrupt()
    until(lambda: not agent.living(), "the program and its helper are gone")
    assert turn.wait().code != 0
    agent.plays({"say": "Again."}, DONE)
    assert in_order(codex.exec("once more")).text == "Again."


def test_a_busy_pool_makes_codex_wait(codex: Codex, subscribed: RunningChain, agent: FakeCursorAgent) -> None:
    """One runs, one waits, and the third is Codex: it reads how long to wait, and asks again."""
    for _ in range(8):
        ask_all(subscribed, model=SLUG)  # by which the pool learns that here a turn is short
    agent.forget()
    agent.plays({"say": "Mine."}, {"await": "go"}, DONE)
    with ask(subscribed, model=SLUG) as running, ThreadPoolExecutor() as beside:
        until(lambda: agent.prompts, "one runs")
        waiting = beside.submit(ask_all, subscribed, model=SLUG)
        until(lambda: pool_of(subscribed)["waiting"] == 1, "one waits")
        refused = len(refusals_of(subscribed))
        turn = codex.start("hello")
        until(lambda: len(refusals_of(subscribed)) > refused, "there is no room for Codex")
        agent.touch("go")
        assert [event["type"] for event in running.events()][-1] == "response.completed"
        assert text_of(waiting.result()) == "Mine."
        done = turn.wait()
    assert (done.code, done.text) == (0, "Mine.")
    (shown,) = done.reconnects
    assert "All slots for Cursor are taken" in shown


def pool_of(chain: RunningChain) -> dict[str, int]:
    told = loopback.get(f"http://{chain.stage('cursor')['address']}", "/health")
    assert told is not None
    return told["pool"]


def refusals_of(chain: RunningChain) -> list[dict[str, Any]]:
    return [line for line in chain.logs("cursor") if "cursor_pool_full" in line.values()]


@pytest.fixture
def new_worker(subscribed: RunningChain) -> Iterator[None]:
    """For the tests behind this one: a worker that was refused three times asks no more for a while."""
    yield
    subscribed.cli("pipeline", "restart", "cursor")


def test_a_login_that_is_gone_is_told_once(codex: Codex, agent: FakeCursorAgent, new_worker: None) -> None:
    """Also when it has been met so often that nobody is asked any more."""
    agent.plays({"trouble": "login"})
    turns = [codex.exec("hello") for _ in range(4)]
    for turn in turns:
        assert turn.failure.count("`cursor-agent login`") == 1
        assert (turn.code, turn.reconnects) == (1, [])
    assert len(agent.started) == 3
    assert "asked again in" in turns[-1].failure


def test_the_install_script_gives_codex_the_model(
    bare_codex: Codex, agent: FakeCursorAgent, codex_environ: dict[str, str], tmp_path: Path
) -> None:
    """Also where there is another model that Codex would start with."""
    shim, home = tmp_path / "codex-shim", tmp_path / "shim"
    shim.write_text(f'#!/bin/sh\nexec {join(CLI)} "$@"\n')
    shim.chmod(0o755)
    named = {"CURSOR_AGENT_BIN": str(agent.binary), "CODEX_SHIM_BIN": str(shim)}
    chain = RunningChain(home, bare_environment(tmp_path / "user", {**codex_environ, **named}), None)
    write_files(home, [{"model": "local", "provider": "ollama"}], None)
    done = subprocess.run(
        [SCRIPT, "--home", str(home)],
        env=chain.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Codex starts with composer-2-5 from now on. Next: codex-shim start" in done.stdout
    chain.up()
    try:
        bare_codex.use(chain)
        assert in_order(bare_codex.exec("hello")).text == "Hello from Composer."
    finally:
        chain.down()
    assert len(agent.started) == 1
