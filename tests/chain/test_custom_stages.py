"""Stages of one's own in a running chain: every door, every place, moved by moving a table, and what becomes of their failures."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import process_tree
import pytest
from chat_answers import Answer, Silence, Wait, chunk, says
from custom_stages import (
    BRIEF,
    EXAMPLES,
    INGRESS,
    POLICY,
    PSEUDONYM,
    REDACT,
    ROUTER,
    THRIFT,
    node_environment,
    pipeline,
)
from ports import free_port
from responses_client import ask, ask_all, error_of, text_of
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from systems import needs_posix
from waiting import until

CUSTOM = (BRIEF, PSEUDONYM, THRIFT, REDACT)
PLACES = {
    "between ingress and policy": (INGRESS, *CUSTOM, POLICY, ROUTER),
    "between policy and router": (INGRESS, POLICY, *CUSTOM, ROUTER),
    "on both sides of policy, the other way round": (INGRESS, REDACT, THRIFT, POLICY, PSEUDONYM, BRIEF, ROUTER),
}
KEY = "sk-0123456789abcdefghij"


@pytest.mark.parametrize("tables", PLACES.values(), ids=PLACES)
def test_the_documented_stages_work_at_every_place(start_chain: StartChain, upstream: ScriptedUpstream, tables: tuple[str]) -> None:
    chain = start_chain(models=[upstream.model()], pipeline=pipeline(*tables), environ=node_environment())
    upstream.script(says("Northwind", " it is."))
    events = ask_all(chain, f"Acme has the key {KEY}", reasoning={"effort": "high"})
    asked = str(upstream.requests[0].messages)
    assert "Answer briefly." in asked
    assert "Northwind has the key [redacted]" in asked
    assert "Acme" not in asked
    assert text_of(events) == "Acme it is."
    assert events[-1]["type"] == "response.completed"
    until(lambda: "high → low" in str(chain.logs("thrift")), "the log line of the request")


def test_moving_a_table_moves_the_stage(start_chain: StartChain, upstream: ScriptedUpstream, tmp_path: Path) -> None:
    said = []
    tables = {letter: _appending(tmp_path, letter) for letter in "ab"}
    for order in ("ab", "ba"):
        chain = start_chain(
            models=[upstream.model()], pipeline=pipeline(INGRESS, *(tables[letter] for letter in order), POLICY, ROUTER)
        )
        upstream.script(says("ok"))
        ask_all(chain, "hi ")
        said.append(upstream.requests[-1].messages[-1]["content"])
        chain.down()
    assert said == ["hi ab", "hi ba"]


def test_streams_and_cancellations_pass_through_a_program_in_another_language(
    start_chain: StartChain, upstream: ScriptedUpstream
) -> None:
    chain = start_chain(models=[upstream.model()], pipeline=pipeline(INGRESS, REDACT, ROUTER), environ=node_environment())
    gate = upstream.gate()
    upstream.script(Answer(chunk(content="first"), Wait(gate), *says(" second").steps), Answer(chunk(content="first"), Silence()))
    with ask(chain) as answer:
        events = answer.events()
        assert next(event for event in events if event["type"] == "response.output_text.delta")["delta"] == "first"
        gate.open()
        assert text_of(list(events)) == " second"
    with ask(chain) as answer:
        assert "first" in text_of([next(event) for event in [answer.events()] for _ in range(5)])
    upstream.requests[1].wait_until_left()


def test_an_outside_proxy_is_a_stage_of_the_chain(start_chain: StartChain, upstream: ScriptedUpstream) -> None:
    """Somebody else starts it, so the stage behind it has a fixed address, and it must let the Authorization header pass."""
    proxy, behind = free_port(), free_port()
    outside = f'name = "outside"\nurl = "http://127.0.0.1:{proxy}"'
    environ = node_environment() | {
        "CODEX_SHIM_STAGE": "outside",
        "CODEX_SHIM_LISTEN": f"127.0.0.1:{proxy}",
        "CODEX_SHIM_NEXT": f"http://127.0.0.1:{behind}",
    }
    process = subprocess.Popen(["node", str(EXAMPLES / "redact.mjs")], env=environ, stdin=subprocess.PIPE)
    try:
        router = f'{ROUTER}\nlisten = "127.0.0.1:{behind}"'
        chain = start_chain(models=[upstream.model()], pipeline=pipeline(INGRESS, outside, router))
        upstream.script(says("ok"))
        assert text_of(ask_all(chain, f"the key is {KEY}")) == "ok"
        assert "the key is [redacted]" in str(upstream.requests[0].messages)
        assert chain.stage("outside")["state"] == "ready"
        chain.down()
        assert process.poll() is None, "what somebody else started is not ours to stop"
    finally:
        process.communicate()
    assert process.returncode == 0


BAD = """\
def request(body):
    asked = body["input"][0]["content"][0]["text"]
    if asked == "bug":
        return body["missing"]
    if asked == "Sunday":
        raise PermissionError("not on Sundays")

def event(event):
    if event.get("delta") == "two":
        raise ValueError("no twos")
"""


@pytest.fixture(scope="module")
def scripted(keep_chain: StartChain, kept_provider: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> RunningChain:
    """A chain with a script that fails and refuses on demand."""
    bad = _script(tmp_path_factory.mktemp("bad"), "bad", BAD)
    return keep_chain([kept_provider.model()], pipeline=pipeline(INGRESS, bad, ROUTER))


def test_a_script_that_fails_tells_codex_the_line(scripted: RunningChain) -> None:
    error = error_of(ask_all(scripted, "bug"))
    assert error["message"].startswith("the script bad.py failed: KeyError: 'missing' (line 4)")
    assert error["code"] == "invalid_prompt", "Codex shows this once and does not try again"
    with ask(scripted, "bug", codex=False) as answer:
        assert answer.status == 500
        assert "line 4" in answer.json()["error"]["message"]


def test_a_script_that_fails_in_the_middle_ends_its_stream_with_the_reason(
    scripted: RunningChain, provider: ScriptedUpstream
) -> None:
    provider.script(says("one", "two"), says("fine"))
    events = ask_all(scripted)
    assert text_of(events) == "one"
    assert "the script bad.py failed: ValueError: no twos (line 10)" in error_of(events)["message"]
    assert text_of(ask_all(scripted)) == "fine"


def test_a_script_may_refuse(scripted: RunningChain) -> None:
    assert error_of(ask_all(scripted, "Sunday"))["message"] == "not on Sundays"
    with ask(scripted, "Sunday", codex=False) as answer:
        assert (answer.status, answer.json()["error"]["message"]) == (403, "not on Sundays")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (f"{THRIFT.rpartition('config')[0]}config = {{ highst = 1 }}", "unknown field `highst`"),
        (THRIFT.replace("team.thrift", "team.missing"), "there is no Python module team.missing"),
    ],
)
def test_a_typed_stage_that_cannot_start_is_told_in_a_sentence(
    start_chain: StartChain, upstream: ScriptedUpstream, table: str, sentence: str
) -> None:
    with pytest.raises(AssertionError) as failed:
        start_chain(models=[upstream.model()], pipeline=pipeline(INGRESS, table, ROUTER))
    assert "the stage `thrift` did not come up" in str(failed.value)
    assert "exit code 78" in str(failed.value)
    assert sentence in str(failed.value)
    assert "Traceback" not in str(failed.value)


@needs_posix
def test_a_program_that_is_killed_comes_back_and_leaves_none_of_its_children_nor_does_the_chain(
    start_chain: StartChain, upstream: ScriptedUpstream
) -> None:
    """The shell is the stage's process; node, which holds the port, is its child and would be in the way of the next one."""
    wrapped = REDACT.replace('["node", ', '["sh", "-c", "node \\"$0\\" & wait", ')
    chain = start_chain(models=[upstream.model()], pipeline=pipeline(INGRESS, wrapped, ROUTER), environ=node_environment())
    shell = chain.pids["redact"]
    before = process_tree.family(shell)
    assert len(before) == 2
    os.kill(shell, signal.SIGKILL)
    until(lambda: _is_back(chain, "redact", shell), "the stage is back")
    until(lambda: not process_tree.alive(before), "none of its children lives")
    upstream.script(says("ok"))
    assert text_of(ask_all(chain)) == "ok"
    assert len(process_tree.family(chain.pids["redact"])) == 2
    chain.down()  # asserts that every process it has seen is gone


def _is_back(chain: RunningChain, name: str, old_pid: int) -> bool:
    stage = chain.stage(name)
    return stage["state"] == "ready" and stage["pid"] != old_pid


def _script(folder: Path, name: str, code: str) -> str:
    (folder / f"{name}.py").write_text(code)
    return f'name = "{name}"\nscript = "{folder / name}.py"'


def _appending(folder: Path, letter: str) -> str:
    return _script(folder, letter, f"def request(body):\n    body['input'][-1]['content'][0]['text'] += '{letter}'\n")
