"""Checks that a client who goes away is noticed at the next hop, so that no model goes on writing for nobody."""

from __future__ import annotations

import asyncio

from ...contract.events import Event
from . import samples
from .bench import Bench, within
from .hop import silence
from .verdict import BrokenError, Check

LIMIT_SECONDS = 0.2
_GIVE_UP_SECONDS = 2.0
_TRIES = 5  # a busy machine may be late once


async def in_a_stream(bench: Bench) -> None:
    await _noticed(bench, samples.answer(bench.model, ["Hello."])[0], "in the middle of a stream")


async def before_the_answer(bench: Bench) -> None:
    await _noticed(bench, None, "before the next hop has answered")


async def _noticed(bench: Bench, first: Event | None, when: str) -> None:
    seconds = 0.0
    for _ in range(_TRIES):
        seconds = await _seconds(bench, first, when)
        if seconds <= LIMIT_SECONDS:
            return
    raise BrokenError(f"expected a client that goes away {when} to be noticed in {LIMIT_SECONDS:g} s; it took {seconds:.2f} s")


async def _seconds(bench: Bench, first: Event | None, when: str) -> float:
    loop = asyncio.get_running_loop()
    cancelled: asyncio.Future[float] = loop.create_future()
    under_way = asyncio.Event()
    bench.hop.part = silence(cancelled, first, under_way)
    client = asyncio.create_task(_client(bench, first is not None))
    try:
        await bench.within(under_way.wait(), "expected the request at the next hop")
        if first is not None:
            await client  # it leaves by itself when it has the first event
    finally:
        client.cancel()
        left = loop.time()
        await asyncio.wait({client})
    await within(_GIVE_UP_SECONDS, cancelled, f"expected a client that goes away {when} to be noticed at the next hop; it was not")
    return cancelled.result() - left


async def _client(bench: Bench, leaves_with_first: bool) -> None:
    async with bench.ask(bench.request()) as answer:
        await answer.take(1 if leaves_with_first else 1000, "expected the first event")


CHECKS = (
    Check("cancel-streaming", "a client that leaves a stream is noticed at the next hop within 200 ms", in_a_stream),
    Check("cancel-waiting", "a client that leaves before the answer is noticed within 200 ms", before_the_answer),
)
