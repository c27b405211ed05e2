"""Stages are replaced while twenty clients stream and ask without a pause: nobody is refused, and no answer is cut short."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import process_tree
import pytest
from chat_answers import DONE, Answer, Wait, chunk, finish, says
from knocking import Knocking, addresses
from many_clients import Load
from pipelines import INGRESS, POLICY, ROUTER, pipeline, relay
from responses_client import ask, ask_all, text_of
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream
from waiting import PATIENCE, until

CLIENTS = 20
ANSWER = Answer(*[chunk(content=f"word {number} ") for number in range(8)], finish("stop"), DONE)


def restarted_under_load(chain: RunningChain, upstream: ScriptedUpstream, *restarts: tuple[str, ...]) -> Load:
    upstream.script(lambda request: ANSWER)
    with Load(chain, CLIENTS) as load:
        for arguments in restarts:
            come = len(load.outcomes)
            until(lambda: len(load.outcomes) > come + CLIENTS, "the clients are at work", 2 * PATIENCE)  # noqa: B023
            chain.cli("pipeline", "restart", *arguments)
        come = len(load.outcomes)
        until(lambda: len(load.outcomes) > come + 2 * CLIENTS, "the clients go on", 2 * PATIENCE)
    return load


def test_each_stage_and_then_all_are_replaced_and_no_client_notices(chain: RunningChain, upstream: ScriptedUpstream) -> None:
    stages = [row["name"] for row in chain.status()["stages"]]
    assert chain.stage("chatgpt")["state"] == "asleep", "what sleeps is not replaced, and not woken"
    before, old = chain.pids, chain.note_processes()
    with Knocking(addresses(chain)) as knocking:
        load = restarted_under_load(chain, upstream, *((stage,) for stage in stages), ())
    assert not load.troubles, load.troubles[:3]
    assert not knocking.refused
    assert not {pid for name, pid in chain.pids.items() if name != "orchestrator"} & set(before.values())
    assert {row["name"]: row["restarts"] for row in chain.status()["stages"]} == {
        **dict.fromkeys(stages, 2),
        "chatgpt": 0,
        "desk": 0,
    }
    assert {row["last_exit"] for row in chain.status()["stages"]} == {None}, "a replacement is no accident"
    until(lambda: len(process_tree.alive(old)) == 2, "only the orchestrator and the fork server are still the same")


def test_a_program_is_replaced_and_the_hop_before_bridges_the_gap_of_its_port(
    start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream
) -> None:
    chain = start_chain([upstream.model()], pipeline(INGRESS, POLICY, relay("program"), ROUTER))
    before = chain.pids["program"]
    load = restarted_under_load(chain, upstream, ("program",), ("program",))
    assert not load.troubles, load.troubles[:3]
    assert chain.pids["program"] != before
    assert chain.stage("program")["restarts"] == 2


@pytest.mark.parametrize("stage", [None, "ingress"])
def test_a_long_stream_finishes_in_the_old_processes(chain: RunningChain, upstream: ScriptedUpstream, stage: str | None) -> None:
    gate = upstream.gate()
    upstream.script(Answer(chunk(content="first"), Wait(gate), *says(" second").steps), says("third"))
    old = chain.note_processes()
    with ask(chain) as answer:
        events = answer.events()
        seen = [next(events)]
        chain.cli("pipeline", "restart", *([stage] if stage else []))
        assert len(process_tree.alive(old)) == len(old)
        assert text_of(ask_all(chain)) == "third", "others are served by the new processes"
        gate.open()
        seen += list(events)
    assert (text_of(seen), seen[-1]["type"]) == ("first second", "response.completed")
    until(lambda: len(process_tree.alive(old)) == len(old) - (1 if stage else 4), "the old processes have ended")


def test_a_replacement_that_cannot_start_leaves_the_old_process_at_work(
    start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    script = tmp_path / "trim.py"
    script.write_text("def request(body): ...\n")
    chain = start_chain([upstream.model()], pipeline(INGRESS, f'[[stage]]\nname = "trim"\nscript = "{script}"\n', ROUTER))
    upstream.script(lambda request: says("alive"))
    script.write_text("def request(body:\n")
    failed = chain.cli("pipeline", "restart", "trim", check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: trim: the new process did not come up")
    assert "trim.py" in failed.stderr
    assert "(line 1)" in failed.stderr
    assert "the old one goes on" in failed.stderr
    assert text_of(ask_all(chain)) == "alive"
    assert chain.stage("trim")["state"] == "ready"
