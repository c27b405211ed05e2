"""Two hundred streams at once, all open at the same time, and what they leave behind."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import process_tree
from chat_answers import DONE, Answer, Wait, chunk, finish
from many_clients import Outcome, all_at_once
from pipelines import INGRESS, ROUTER, pipeline
from raw_http import send
from responses_client import ask
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream
from systems import needs_proc
from upstream_connection import Received
from waiting import PATIENCE, until

STREAMS = 200
WORDS = 20
# Written anew at each start; nobody reads them without a chain.
OFFERED = ("run/advertised.json", "run/spent.json", "run/subscriptions.json")

# A stage of its own that tells how many tasks its loop has; it stands for all that are built on the kit.
COUNTER = """
import asyncio
from codex_shim.stages.kit import Stage, run

class Counter(Stage):
    async def models(self, exchange):
        await exchange.reply({"tasks": len(asyncio.all_tasks())})

if __name__ == "__main__":
    run(Counter)
"""


def prompt_of(request: Received) -> str:
    content = request.messages[-1]["content"]
    return content if isinstance(content, str) else content[0]["text"]


def words(prompt: str) -> list[str]:
    return [f"{prompt}.{number} " for number in range(WORDS)]


def stream_together(chain: RunningChain, upstream: ScriptedUpstream, prompts: list[str]) -> list[Outcome]:
    """All streams are open before the first of them goes on, three times over."""
    gates = [upstream.gate(), upstream.gate()]

    def answer(request: Received) -> Answer:
        first, *rest = [chunk(content=word) for word in words(prompt_of(request))]
        half = len(rest) // 2
        return Answer(first, Wait(gates[0]), *rest[:half], Wait(gates[1]), *rest[half:], finish("stop"), DONE)

    upstream.script(answer)
    outcomes: list[Outcome] = []
    thread = Thread(target=lambda: outcomes.extend(asyncio.run(all_at_once(chain, prompts))))
    thread.start()
    upstream.wait_for_request(len(prompts), 4 * PATIENCE)
    for gate in gates:
        gate.wait_reached()
        gate.open()
    thread.join()
    return outcomes


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


@needs_proc
def test_two_hundred_streams_lose_nothing_mix_nothing_and_leave_nothing(chain: RunningChain, upstream: ScriptedUpstream) -> None:
    prompts = [f"p{number}" for number in range(STREAMS)]
    processes, pids = chain.note_processes(), chain.pids
    before = {stage: descriptors(pid) for stage, pid in pids.items()}
    for _ in range(2):
        for outcome in stream_together(chain, upstream, prompts):
            assert outcome.trouble is None, outcome
            assert outcome.text == "".join(words(outcome.prompt))
        assert sorted(prompt_of(request) for request in upstream.requests) == sorted(prompts), "each was asked exactly once"
    assert chain.pids == pids
    assert chain.note_processes() == processes
    for stage, pid in pids.items():
        kept = (0 if stage == "orchestrator" else STREAMS if stage == "ingress" else 2 * STREAMS) + 5
        until(lambda: descriptors(pid) <= before[stage] + kept, f"{stage} holds no more than pooled connections")  # noqa: B023
    chain.cli("pipeline", "down")
    until(lambda: not process_tree.alive(processes), "every process has ended")
    left = {str(path.relative_to(chain.home)) for path in (chain.home / "run").rglob("*") if path.is_file()}
    assert {name for name in left if not name.startswith("run/logs/")} <= {"run/lock", *OFFERED}


@needs_proc
def test_clients_that_leave_leave_no_socket_and_no_task(
    start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "counter.py").write_text(COUNTER)
    table = f'[[stage]]\nname = "counter"\nuse = "mine.counter"\npath = {json.dumps(str(tmp_path))}\n'
    chain = start_chain([upstream.model()], pipeline(INGRESS, table, ROUTER))
    upstream.script(lambda request: Answer(chunk(content="first"), Wait(upstream.gate())))

    def tasks() -> int:
        return send(chain, "GET", "/v1/models").json()["tasks"]

    at_rest = tasks()
    before = {stage: descriptors(pid) for stage, pid in chain.pids.items()}
    for _ in range(3):
        answers = [ask(chain) for _ in range(10)]
        for answer in answers:
            next(answer.events())
        assert tasks() >= at_rest + 10
        for answer in answers:
            answer.close()
    until(lambda: upstream.open_connections == 0, "no connection to the provider is left open")
    until(lambda: tasks() == at_rest, "no task is left")
    for stage, pid in chain.pids.items():
        until(lambda: descriptors(pid) <= before[stage] + 2, f"{stage} has closed its sockets")  # noqa: B023
