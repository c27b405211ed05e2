"""The first words of an answer, held back as long as the request can still be given to somebody else.

A provider that is overloaded may say so inside a stream that has begun well. What comes before the first word that counts is kept
for a moment; a model that thinks for longer than that is taken at its word.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ..contract.errors import SERVER_ERROR, Failure, HopError
from ..kit.client import Reply
from .opening import Opening

# Ingress keeps Codex patient from the moment it knows the status on, and Codex waits for 300 s without that.
HOLD_SECONDS = 10.0


class Held:
    """A stream whose first words are known. `chunks` is all of it."""

    def __init__(self, first: list[bytes], waiting: asyncio.Future[bytes | None] | None, rest: AsyncIterator[bytes]) -> None:
        self._first = first
        self._waiting = waiting
        self._rest = rest

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            if self._first:
                yield b"".join(self._first)
            if self._waiting is not None:
                if (chunk := await self._waiting) is None:
                    return
                yield chunk
            async for chunk in self._rest:
                yield chunk
        finally:
            self.drop()

    def drop(self) -> None:
        """Nobody waits for it any more."""
        if self._waiting is not None and not self._waiting.cancel() and not self._waiting.cancelled():
            self._waiting.exception()  # which nobody is interested in either


async def hold(reply: Reply, seconds: float = HOLD_SECONDS) -> Held:
    """Raises `HopError` for a stream that fails, breaks off or ends before it has said anything."""
    chunks, opening, first = reply.chunks(), Opening(), list[bytes]()
    give_up_at = asyncio.get_running_loop().time() + seconds
    while not opening.settled:
        waiting = asyncio.ensure_future(anext(chunks, None))
        try:
            done, _ = await asyncio.wait({waiting}, timeout=max(0.0, give_up_at - asyncio.get_running_loop().time()))
        except asyncio.CancelledError:
            waiting.cancel()
            raise
        if not done:
            return Held(first, waiting, chunks)
        chunk = waiting.result()
        if chunk is None:
            raise HopError(Failure(code=SERVER_ERROR, message="the answer ended before it had said anything"))
        first.append(chunk)
        opening.feed(chunk)
    if opening.failure is not None:
        raise HopError(opening.failure)
    return Held(first, None, chunks)
