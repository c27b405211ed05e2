"""The first words of a stream: held until one counts, for a while at most, and then passed on in their order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from codex_shim.stages.contract.errors import SERVER_ERROR, Failure, HopError
from codex_shim.stages.router.held import hold

CREATED = b'event: response.created\ndata: {"type":"response.created"}\n\n'
DELTA = b'data: {"type":"response.output_text.delta","delta":"x"}\n\n'
FAILED = b'data: {"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"slow"}}}\n\n'
BREAKS = HopError(Failure(code=SERVER_ERROR, message="broke off"))


class Stream:
    """As much of a reply as is read. `None` among its chunks waits for `go_on`."""

    def __init__(self, *chunks: bytes | HopError | None) -> None:
        self._chunks = chunks
        self.go_on = asyncio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, HopError):
                raise chunk
            if chunk is None:
                await self.go_on.wait()
            else:
                yield chunk


async def said(stream: Stream, seconds: float) -> list[bytes]:
    reply: Any = stream
    held = await hold(reply, seconds)
    stream.go_on.set()
    return [chunk async for chunk in held.chunks()]


@pytest.mark.parametrize(
    ("chunks", "seconds", "passed"),
    [
        ([CREATED, DELTA, DELTA], 60, [CREATED + DELTA, DELTA]),
        ([CREATED[:20], CREATED[20:] + DELTA[:9], DELTA[9:], FAILED], 60, [CREATED + DELTA, FAILED]),
        ([CREATED, None, DELTA, DELTA], 0.01, [CREATED, DELTA, DELTA]),
        ([None, CREATED, FAILED], 0.01, [CREATED, FAILED]),
        ([CREATED, None], 0.01, [CREATED]),
        ([b"data: [DONE]\n\n"], 60, [b"data: [DONE]\n\n"]),
    ],
)
def test_nothing_is_lost_or_turned_round(chunks: list[bytes | None], seconds: float, passed: list[bytes]) -> None:
    assert asyncio.run(said(Stream(*chunks), seconds)) == passed


@pytest.mark.parametrize(
    ("chunks", "code"),
    [
        ([CREATED, FAILED], "rate_limit_exceeded"),
        ([CREATED[:11], CREATED[11:] + FAILED], "rate_limit_exceeded"),
        ([CREATED], SERVER_ERROR),
        ([], SERVER_ERROR),
        ([CREATED, BREAKS], SERVER_ERROR),
    ],
)
def test_what_fails_before_its_first_word_can_be_asked_of_another(chunks: list[Any], code: str) -> None:
    with pytest.raises(HopError) as refusal:
        asyncio.run(said(Stream(*chunks), 60))
    assert refusal.value.failure.code == code


def test_who_leaves_while_it_is_held_leaves_nothing_behind() -> None:
    async def leave() -> set[asyncio.Task[Any]]:
        reply: Any = Stream(CREATED, None)
        holding = asyncio.create_task(hold(reply, 60))
        while not (waiting := asyncio.all_tasks() - {holding, asyncio.current_task()}):
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        holding.cancel()
        await asyncio.gather(holding, *waiting, return_exceptions=True)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(leave()) == set()
