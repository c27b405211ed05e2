"""The orchestrator is killed: nothing it has started outlives it, and a new chain can start at once."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import process_tree
import pytest
from chat_answers import Answer, Wait, chunk, says
from pipelines import INGRESS, ROUTER, pipeline, relay
from responses_client import ask, ask_all, error_of, text_of
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream
from systems import needs_linux, needs_posix
from waiting import PATIENCE, until

pytestmark = needs_posix


def kill_orchestrator(chain: RunningChain) -> None:
    os.kill(chain.pids["orchestrator"], signal.SIGKILL)


def test_every_process_goes_with_the_orchestrator_and_a_new_chain_starts(chain: RunningChain, upstream: ScriptedUpstream) -> None:
    upstream.script(lambda request: says("alive"))
    assert text_of(ask_all(chain)) == "alive"
    processes, url = chain.note_processes(), chain.url
    kill_orchestrator(chain)
    chain.cli("pipeline", "up", "--detach", "--port", url.rpartition(":")[2].removesuffix("/v1"))
    assert chain.status()["url"] == url
    assert text_of(ask_all(chain)) == "alive"
    until(lambda: not process_tree.alive(processes), "every process of the killed chain has ended")
    assert list((chain.home / "run" / "stages").glob("*.json")), "the old chain does not take away the files of the new one"


def test_programs_that_fork_and_ignore_sigterm_go_too(start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream) -> None:
    chain = start_chain([upstream.model()], pipeline(INGRESS, relay("rude", "stubborn"), ROUTER))
    upstream.script(lambda request: says("alive"))
    assert text_of(ask_all(chain)) == "alive"
    rude = process_tree.family(chain.pids["rude"])
    assert len(rude) == 2
    processes = chain.note_processes()
    kill_orchestrator(chain)
    until(lambda: not process_tree.alive(processes), "every process has ended, the rude ones too")


@needs_linux
def test_rude_programs_and_their_children_go_with_the_fork_server_and_come_back(
    start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream
) -> None:
    chain = start_chain([upstream.model()], pipeline(INGRESS, relay("rude", "stubborn"), ROUTER, drain_seconds=0.2))
    upstream.script(lambda request: says("alive"))
    old = chain.pids["rude"]
    rude = process_tree.family(old)
    os.kill(process_tree.parent(old), signal.SIGKILL)
    until(lambda: not process_tree.alive(rude), "the rude ones have ended")

    def all_are_back() -> bool:
        rows = chain.status()["stages"]
        return all(row["state"] in ("ready", "asleep") for row in rows) and not any(row["pid"] == old for row in rows)

    until(all_are_back, "all are back", 2 * PATIENCE)
    assert text_of(ask_all(chain)) == "alive"


def test_a_rude_program_is_killed_when_the_drain_time_is_over(
    start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream
) -> None:
    chain = start_chain([upstream.model()], pipeline(INGRESS, relay("rude", "stubborn"), ROUTER, drain_seconds=0.2))
    processes = chain.note_processes()
    chain.cli("pipeline", "down")
    until(lambda: not process_tree.alive(processes), "every process has ended, the rude ones too")


def test_a_stream_under_way_may_finish_or_ends_well_when_its_time_is_over(
    start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream
) -> None:
    chain = start_chain([upstream.model()], pipeline(INGRESS, ROUTER, drain_seconds=1))
    upstream.script(Answer(chunk(content="first"), Wait(upstream.gate())))
    processes = chain.note_processes()
    with ask(chain) as answer:
        events = answer.events()
        next(events)
        kill_orchestrator(chain)
        rest = list(events)
    assert error_of(rest)["code"] == "server_error"
    until(lambda: not process_tree.alive(processes), "every process has ended")


@pytest.mark.parametrize("how", ["down", "SIGHUP"])
def test_a_chain_that_is_stopped_lets_streams_finish_and_leaves_nothing(
    chain: RunningChain, upstream: ScriptedUpstream, how: str
) -> None:
    gate = upstream.gate()
    upstream.script(Answer(chunk(content="first"), Wait(gate), *says(" second").steps))
    processes = chain.note_processes()
    with ask(chain) as answer:
        events = answer.events()
        seen = [next(events)]
        if how == "down":
            chain.control.ask_once("down")
        else:
            os.kill(chain.pids["orchestrator"], getattr(signal, how))
        until(lambda: chain.stage("ingress")["state"] == "stopping", "ingress drains")
        gate.open()
        seen += list(events)
    assert (text_of(seen), seen[-1]["type"]) == ("first second", "response.completed")
    until(lambda: not process_tree.alive(processes), "every process has ended")
    run = chain.home / "run"
    assert not (run / "control.json").exists()
    assert not list((run / "stages").iterdir())


def test_a_stream_that_outlasts_the_drain_time_is_ended_in_one_failure(
    start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream
) -> None:
    chain = start_chain([upstream.model()], pipeline(INGRESS, ROUTER, drain_seconds=1))
    upstream.script(Answer(chunk(content="first"), Wait(upstream.gate())))
    with ask(chain) as answer:
        events = answer.events()
        next(events)
        began = time.monotonic()
        chain.cli("pipeline", "down")
        assert time.monotonic() - began > 0.9, "it may go on for its drain time"
        rest = list(events)
    assert [event["type"] for event in rest].count("response.failed") == 1
    assert error_of(rest) == {"code": "server_error", "message": "the chain was stopped in the middle of this answer"}


def test_a_request_still_unanswered_at_the_end_of_the_drain_time_is_refused_with_a_sentence(
    start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream
) -> None:
    chain = start_chain([upstream.model()], pipeline(INGRESS, ROUTER, drain_seconds=0.5))
    upstream.script(Answer(before_head=(Wait(upstream.gate()),)))
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(ask_all, chain)
        upstream.wait_for_request()
        chain.cli("pipeline", "down")
        error = error_of(asked.result())
    assert error == {"code": "server_error", "message": "ingress was stopped before this request was answered"}


def test_a_killed_chain_is_known_to_be_gone_also_where_its_control_port_is_anothers_by_now(chain: RunningChain) -> None:
    kill_orchestrator(chain)
    file = chain.home / "run" / "control.json"
    facts = json.loads(file.read_bytes())
    until(lambda: chain.cli("status", check=False).returncode == 1, "the chain is gone")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        file.write_text(json.dumps({**facts, "port": silent.getsockname()[1]}))
        assert chain.cli("status", check=False).stdout.startswith("No chain is running for ")
        assert "no chain is running" in chain.cli("pipeline", "down", check=False).stderr
