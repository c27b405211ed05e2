"""Checks of the stage as a server and as a process: who it is, whom it lets in, how it ends."""

from __future__ import annotations

import asyncio
import json

from . import judge, samples
from .bench import Bench
from .hop import one_by_one, say_hello
from .verdict import Check, expect, expect_none

# Long enough for a process that does not drain to be gone.
_REACTION_SECONDS = 0.3


async def health(bench: Bench) -> None:
    async with bench.ask(method="GET", path="/health", token=None) as answer:
        body = await answer.body()
    expect(answer.status == 200, f"expected 200 for GET /health, without a token; saw {answer.status}")
    expect(_is_object(body), f"expected a JSON object for GET /health; saw {body[:200]!r}")


async def models(bench: Bench) -> None:
    async with bench.ask(method="GET", path="/v1/models") as answer:
        body = await answer.body()
    expect(answer.status == 200, f"expected 200 for GET /v1/models; saw {answer.status}")
    expect(_is_object(body), f"expected a JSON object for GET /v1/models; saw {body[:200]!r}")
    listed = json.loads(body)
    lists = all(isinstance(listed.get(name), list) for name in ("data", "models"))
    expect(lists, f"expected both lists, `data` and `models`, from GET /v1/models; saw {', '.join(listed)}")


async def token(bench: Bench) -> None:
    for given, described in ((None, "without the hop token"), ("not-the-token", "with another token")):
        async with bench.ask(bench.request(), token=given) as answer:
            body = await answer.body()
        expect(answer.status == 401, f"expected 401 for a request {described}; saw {answer.status}")
        expect_none(judge.error_answer(401, answer.kind, body))


async def drain(bench: Bench) -> None:
    assert bench.process is not None
    go_on = asyncio.Event()

    async def gate(place: int) -> None:
        if place:
            await go_on.wait()

    bench.hop.part = one_by_one(samples.answer(bench.model, ["one ", "two"]), gate)
    async with bench.ask(bench.request()) as answer:
        await answer.take(1, "expected the first event")
        bench.process.ask_to_stop()
        await bench.process.ends_within(_REACTION_SECONDS)
        go_on.set()
        await answer.rest()
    bench.hop.part = say_hello
    fault = judge.ending(answer.events, "response.completed", answer.broken)
    expect(fault is None, f"expected a running stream to finish after SIGTERM; {fault}")
    ended = await bench.process.ends_within(bench.patience)
    expect(ended, f"expected the stage to exit after its last stream; it still ran {bench.patience:g} s later")


async def lifeline(bench: Bench) -> None:
    assert bench.process is not None
    bench.process.close_stdin()
    ended = await bench.process.ends_within(bench.patience)
    expect(ended, f"expected the stage to exit when its standard input ends; it still ran {bench.patience:g} s later")


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


CHECKS = (
    Check("health", "GET /health answers 200 with JSON and asks for no token", health, frozenset()),
    Check("models", "GET /v1/models lists what can be reached from here", models, frozenset()),
    Check("token", "a request without this run's token is refused with 401", token, frozenset({"token"})),
    Check("drain", "on SIGTERM a running stream finishes, then the process ends", drain, frozenset({"next", "process"})),
    Check("lifeline", "the process ends when its standard input does, so it outlives nobody", lifeline, frozenset({"process"})),
)
