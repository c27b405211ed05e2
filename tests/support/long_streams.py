"""Streams that go on for as long as a test wants, many at a time, each over a raw socket of its own.

with LongStreams(chain, upstream) as streams:
    streams.begin(50)        # returns when all of them are in the middle of their answer
    …
    streams.finish(5)        # the oldest five may end; their outcomes are in `streams.outcomes`
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future

from chat_answers import DONE, Answer, Wait, chunk, finish
from many_clients import Outcome, converse
from responses_client import default_model
from running_chain import RunningChain
from scripted_upstream import Gate, ScriptedUpstream
from upstream_connection import Received
from waiting import PATIENCE

FIRST, LAST = "the first part", ", and the last"


class LongStreams:
    """`answer` is for the upstream's script: it answers the prompts of these streams, None for those of others."""

    def __init__(self, chain: RunningChain, upstream: ScriptedUpstream) -> None:
        self.outcomes: list[Outcome] = []
        self._chain = chain
        self._upstream = upstream
        self._model = default_model(chain)
        self._gates: dict[str, Gate] = {}
        self._running: deque[tuple[str, Future[Outcome]]] = deque()
        self._count = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="long streams")

    def answer(self, request: Received) -> Answer | None:
        prompt = request.messages[-1]["content"]
        gate = self._gates.get(prompt if isinstance(prompt, str) else prompt[-1]["text"])
        return gate and Answer(chunk(content=FIRST), Wait(gate), chunk(content=LAST), finish("stop"), DONE)

    def begin(self, count: int) -> None:
        for _ in range(count):
            self._count += 1
            prompt = f"long stream {self._count}"
            self._gates[prompt] = self._upstream.gate()
            work = converse(self._chain, prompt, self._model)
            self._running.append((prompt, asyncio.run_coroutine_threadsafe(work, self._loop)))
        for prompt, _ in self._running:
            self._gates[prompt].wait_reached(2 * PATIENCE)

    def finish(self, count: int) -> None:
        """The oldest ones; returns when their clients have all of it."""
        ending = [self._running.popleft() for _ in range(min(count, len(self._running)))]
        for prompt, _ in ending:
            self._gates[prompt].open()
        self.outcomes += [future.result(4 * PATIENCE) for _, future in ending]

    @property
    def spoilt(self) -> list[Outcome]:
        """Those that did not come whole, or not as they were said."""
        return [outcome for outcome in self.outcomes if outcome.trouble or outcome.text != FIRST + LAST]

    def __enter__(self) -> LongStreams:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish(len(self._running))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
