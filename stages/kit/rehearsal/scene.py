"""One scene: its stages as processes, its exchanges one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, suppress

import msgspec

from ...contract.errors import HopError
from ...contract.sse import encode_events
from ..client import HopClient
from ..conformance.hop import Part, Received, ScriptedHop, listening
from ..conformance.process import StartError, Tested
from ..exchange import INNER_LIMIT, Exchange
from . import answers
from .play import Answer, Ask, Scene, Seen

# A connection is seen to break before its process is seen to have died.
_DYING_SECONDS = 0.2
_LOGGING_SECONDS = 1.0


class _Asked(msgspec.Struct):
    """What an answer depends on."""

    model: str = ""
    stream: bool = False


async def play(scene: Scene, patience: float) -> AsyncIterator[Seen]:
    """One `Seen` per exchange, in their order; where the stages do not come up, each says why."""
    async with AsyncExitStack() as stack:
        hops = {hop.name: await stack.enter_async_context(listening(hop.port)) for hop in scene.hops}
        processes = {subject.name: Tested(subject) for subject in scene.stages}
        for process in processes.values():
            stack.push_async_callback(process.kill)
        client = HopClient(patience=0.0)
        stack.push_async_callback(client.close)
        for ask in scene.asks:
            seen = Seen(number=ask.number, fault=await _started(processes))
            if seen.fault is None:
                await _exchange(scene, ask, hops, client, seen, patience)
                await _tell_of_deaths(processes, seen)
            if ask.lines:
                seen.lines = await _lines(processes)
            yield seen


async def _started(processes: Mapping[str, Tested]) -> str | None:
    """Start those that do not run yet, or no longer. Returns why that failed."""
    idle = {name: process for name, process in processes.items() if not process.running}
    for process in idle.values():
        await process.kill()
    outcomes = await asyncio.gather(*(process.start() for process in idle.values()), return_exceptions=True)
    for name, outcome in zip(idle, outcomes, strict=True):
        if isinstance(outcome, StartError):
            return f"{name}: {outcome}"
        if isinstance(outcome, BaseException):
            raise outcome
    return None


async def _exchange(
    scene: Scene, ask: Ask, hops: Mapping[str, ScriptedHop], client: HopClient, seen: Seen, patience: float
) -> None:
    for hop in hops.values():
        hop.received.clear()
        hop.part = _part(ask.answer)
    headers = {"content-type": "application/json", "authorization": f"Bearer {scene.token}", **ask.headers}
    url = f"{scene.stages[0].url}/v1/responses"
    try:
        async with asyncio.timeout(patience):
            await _answer(client, url, headers, ask.body.encode(), seen)
    except TimeoutError:
        seen.fault = f"there was no whole answer within {patience:g} s"
    for name, hop in hops.items():
        if hop.received:
            _note(seen, name, hop.received[-1])


async def _answer(client: HopClient, url: str, headers: dict[str, str], body: bytes, seen: Seen) -> None:
    pieces: list[bytes] = []
    try:
        async with client.open("POST", url, headers, body, who="the stage") as reply:
            seen.status = reply.status
            seen.headers = {name.lower(): value for name, value in reply.headers.items()}
            if reply.is_stream:
                async for piece in reply.chunks():
                    pieces.append(piece)  # noqa: PERF401  # what came before it broke off is kept
            else:
                pieces.append(await reply.read(INNER_LIMIT))
    except HopError as error:
        if seen.status:
            seen.broken = error.failure.message
        else:
            seen.fault = error.failure.message
    seen.body = b"".join(pieces).decode("utf-8", "replace")


def _note(seen: Seen, hop: str, received: Received) -> None:
    seen.hop = hop
    seen.request = received.body.decode("utf-8", "replace")
    seen.request_headers = received.headers


def _part(answer: Answer) -> Part:
    async def part(exchange: Exchange, received: Received) -> None:
        asked = msgspec.json.decode(received.body, type=_Asked)
        if answer.status != 200:
            await exchange.reply((answer.body or "").encode(), answer.status, answer.headers)
        elif asked.stream or answer.body is not None:
            said = encode_events(answers.events(asked.model, answer.parts)) if answer.body is None else answer.body.encode()
            await exchange.start(headers=answer.headers)
            await exchange.write(said)
            await exchange.end()
        else:
            await exchange.reply(answers.events(asked.model, answer.parts)[-1]["response"], headers=answer.headers)

    return part


async def _lines(processes: Mapping[str, Tested]) -> dict[str, str]:
    """Stages write them a moment after the answer, those of other people perhaps never."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LOGGING_SECONDS):
            while not all(process.requests for process in processes.values()):  # noqa: ASYNC110  # a pipe is read elsewhere
                await asyncio.sleep(0.01)
    return {name: process.requests[-1] for name, process in processes.items() if process.requests}


async def _tell_of_deaths(processes: Mapping[str, Tested], seen: Seen) -> None:
    """An exchange that failed may have failed because a stage died of it."""
    if seen.status == 200 and seen.broken is None and seen.fault is None:
        return
    for name, process in processes.items():
        if await process.ends_within(_DYING_SECONDS):
            seen.fault = f"{name} died of this request: {process.last_words()}"
