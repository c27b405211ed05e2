"""A process of the chain is killed: what its clients see, and what is left afterwards."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
from pathlib import Path

import process_tree
import pytest
from chat_answers import Answer, Wait, chunk, says
from custom_stages import INGRESS, ROUTER, pipeline
from knocking import Knocking, addresses
from responses_client import ask, ask_all, error_of, text_of
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from systems import needs_posix
from waiting import PATIENCE, until

OWN = "def request(body):\n    return body\n"
STAGES = ["policy", "router", "egress", "ingress"]

pytestmark = needs_posix


def name_of(chain: RunningChain, stage: str) -> str:
    """The worker of the scripted upstream is named after its port."""
    return chain.status()["stages"][len(STAGES) - 1]["name"] if stage == "egress" else stage


def kill(chain: RunningChain, stage: str) -> int:
    pid = chain.pids[stage]
    os.kill(pid, signal.SIGKILL)
    return pid


def wait_for_another(chain: RunningChain, stage: str, pid: int) -> None:
    def is_back() -> bool:
        row = chain.stage(stage)
        return row["state"] == "ready" and row["pid"] != pid

    until(is_back, f"{stage} runs again", 2 * PATIENCE)


def fork_server(chain: RunningChain) -> int:
    if sys.platform != "linux":
        pytest.skip("only Linux has a fork server")
    return process_tree.parent(chain.pids["router"])


@pytest.fixture(scope="module")
def mended(keep_chain: StartChain, kept_provider: ScriptedUpstream) -> RunningChain:
    """A chain whose stages are killed one by one. Each comes back, so that the next test finds it whole."""
    return keep_chain([kept_provider.model()])


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_killed_while_idle_comes_back_and_refuses_nobody(
    mended: RunningChain, provider: ScriptedUpstream, stage: str
) -> None:
    chain = mended
    provider.script(lambda request: says("well ", "and alive"))
    assert text_of(ask_all(chain)) == "well and alive"
    stage = name_of(chain, stage)
    restarts = chain.stage(stage)["restarts"]
    with Knocking(addresses(chain)) as knocking:
        pid = kill(chain, stage)
        assert text_of(ask_all(chain)) == "well and alive", "a request sent at once waits for the new process"
        wait_for_another(chain, stage, pid)
        assert text_of(ask_all(chain)) == "well and alive"
    assert knocking.count and not knocking.refused
    told = next(row for row in json.loads(chain.cli("status", "--json").stdout)["stages"] if row["name"] == stage)
    assert (told["state"], told["restarts"], told["last_exit"]) == ("ready", restarts + 1, "killed by SIGKILL")


@pytest.mark.parametrize("stage", ["policy", "router", "egress"])
def test_a_stage_killed_in_mid_stream_ends_the_stream_in_one_failure(
    mended: RunningChain, provider: ScriptedUpstream, stage: str
) -> None:
    chain, gate = mended, provider.gate()
    provider.script(Answer(chunk(content="first"), Wait(gate)), says("second"))
    stage = name_of(chain, stage)
    with ask(chain) as answer, Knocking(addresses(chain)) as knocking:
        events = answer.events()
        seen = [next(event) for event in [events] for _ in range(5)]
        assert text_of(seen) == "first"
        pid = kill(chain, stage)
        rest = list(events)
        assert [event["type"] for event in rest] == ["response.failed"]
        assert rest[0]["sequence_number"] == seen[-1]["sequence_number"] + 1
        assert rest[0]["response"]["id"] == seen[0]["response"]["id"]
        assert error_of(rest)["code"] == "server_error"
        assert "broke off" in error_of(rest)["message"]
        wait_for_another(chain, stage, pid)
    assert not knocking.refused
    assert provider.requests[0].wait_until_left(), "the provider is not left generating for nobody"
    assert text_of(ask_all(chain)) == "second"


def test_ingress_killed_in_mid_stream_cuts_the_connection_instead_of_hanging(
    mended: RunningChain, provider: ScriptedUpstream
) -> None:
    chain, gate = mended, provider.gate()
    provider.script(Answer(chunk(content="first"), Wait(gate)), says("second"))
    with ask(chain) as answer, Knocking(addresses(chain)) as knocking:
        next(answer.events())
        pid = kill(chain, "ingress")
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.json()
        wait_for_another(chain, "ingress", pid)
    assert not knocking.refused
    provider.requests[0].wait_until_left()
    assert text_of(ask_all(chain)) == "second"


def test_the_fork_server_killed_while_idle_is_replaced_with_all_stages(chain: RunningChain, upstream: ScriptedUpstream) -> None:
    upstream.script(lambda request: says("alive"))
    before = chain.note_processes()
    pids, server = chain.pids, fork_server(chain)
    with Knocking(addresses(chain)) as knocking:
        os.kill(server, signal.SIGKILL)
        assert text_of(ask_all(chain)) == "alive"
        for stage in pids.keys() - {"orchestrator"}:
            wait_for_another(chain, stage, pids[stage])
        assert text_of(ask_all(chain)) == "alive"
    assert knocking.count and not knocking.refused
    assert fork_server(chain) != server
    orchestrator = process_tree.find(pids["orchestrator"])
    until(lambda: process_tree.alive(before) == [orchestrator], "the old processes have ended")
    assert {row["last_exit"] for row in chain.status()["stages"] if row["pid"]} == {"its parent, the fork server, died"}


def test_the_fork_server_killed_in_mid_stream_lets_the_stream_finish(chain: RunningChain, upstream: ScriptedUpstream) -> None:
    gate = upstream.gate()
    upstream.script(Answer(chunk(content="first"), Wait(gate), *says(" second").steps), says("third"))
    before, pids = chain.note_processes(), chain.pids
    with ask(chain) as answer:
        events = answer.events()
        seen = [next(events)]
        os.kill(fork_server(chain), signal.SIGKILL)
        for stage in pids.keys() - {"orchestrator"}:
            wait_for_another(chain, stage, pids[stage])
        gate.open()
        seen += list(events)
    assert (text_of(seen), seen[-1]["type"]) == ("first second", "response.completed")
    assert text_of(ask_all(chain)) == "third"
    orchestrator = process_tree.find(pids["orchestrator"])
    until(lambda: process_tree.alive(before) == [orchestrator], "the old processes have ended")


def test_a_stage_that_was_given_up_is_told_and_can_be_asked_back(
    start_chain: StartChain, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    """Unusable settings are tried once; what dies again and again is for tests/orchestrator/running/test_keeper.py."""
    upstream.script(lambda request: says("alive"))
    script = tmp_path / "own.py"
    script.write_text(OWN)
    chain = start_chain([upstream.model()], pipeline(INGRESS, f'name = "own"\nscript = {json.dumps(str(script))}', ROUTER))
    script.write_text("def request(body:")
    kill(chain, "own")
    until(lambda: chain.stage("own")["state"] == "failed", "own is given up")
    status = chain.cli("status", check=False)
    assert status.returncode == 1
    assert "failed" in status.stdout and "exit code 78" in status.stdout
    assert chain.cli("pipeline", "ready", check=False).returncode == 1
    script.write_text(OWN)
    chain.cli("pipeline", "restart", "own")
    assert chain.stage("own")["state"] == "ready", "restart returns when the stage is ready"
    assert text_of(ask_all(chain)) == "alive"
