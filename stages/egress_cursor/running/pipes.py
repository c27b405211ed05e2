"""The three pipes of a program as the event loop sees them. Reading is ours to pause: who does not read makes the program wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

HIGH_WATER = 256 * 1024
# What a program wrote before its end is in the pipe already; a process that inherited it may keep it open for ever.
QUIET_SECONDS = 0.25
LONGEST_ENDING_SECONDS = 2.0
STDERR_KEPT = 16 * 1024


class Inlet(asyncio.Protocol):
    """Standard output: what has come and is not yet read, at most a little more than `HIGH_WATER` bytes."""

    def __init__(self) -> None:
        self.total = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None
        self._transport: Any = None
        self._paused = False
        self._fresh = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.total += len(data)
        self._size += len(data)
        self._fresh = True
        self._pieces.append(data)
        if self._size >= HIGH_WATER and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.end()

    def end(self) -> None:
        """Nothing more is wanted. What has come can still be read."""
        self._ended = True
        self._wake()

    def end_when_quiet(self) -> None:
        """The program has ended: so does this, also where another process holds the pipe."""
        self._fresh = False
        give_up_at = asyncio.get_running_loop().time() + LONGEST_ENDING_SECONDS
        self._look_again(give_up_at)

    async def read(self) -> bytes:
        """All that has come; empty at the end."""
        while not self._pieces and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._size = [], 0
        if self._paused and not self._ended:
            self._paused = False
            self._transport.resume_reading()
        return data

    def close(self) -> None:
        self.end()
        if self._transport is not None:
            self._transport.close()

    def _look_again(self, give_up_at: float) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(QUIET_SECONDS, self._has_it_ended, give_up_at)

    def _has_it_ended(self, give_up_at: float) -> None:
        if self._ended:
            return
        late = asyncio.get_running_loop().time() >= give_up_at
        if self._paused or (self._fresh and not late):
            self._fresh = False
            self._look_again(give_up_at)
        else:
            self.end()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Tail(asyncio.Protocol):
    """Standard error: always read, so that nobody waits for us, and only its end is kept. It may hold parts of the prompt."""

    def __init__(self) -> None:
        self._kept = b""
        self._cut = False
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        whole = self._kept + data
        self._cut = self._cut or len(whole) > STDERR_KEPT
        self._kept = whole[-STDERR_KEPT:]

    def text(self) -> str:
        """Whole lines: the end of a line cannot be told from the program's own words, and may be the end of the prompt."""
        kept = self._kept.partition(b"\n")[2] if self._cut else self._kept
        return kept.decode("utf-8", "replace")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Outlet(asyncio.BaseProtocol):
    """Standard input: written without anybody waiting for it, then closed. A program that ends early leaves some of it unread."""

    def __init__(self) -> None:
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Why is of no interest: the program's exit code and its standard error say more."""
        self._transport = None

    def pause_writing(self) -> None:
        """The prompt is in memory anyway; the transport hands it on as fast as the program reads."""

    def resume_writing(self) -> None: ...

    def send(self, content: bytes) -> None:
        """All of it, then the end of the file."""
        if self._transport is not None:
            self._transport.write(content)
            self._transport.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Report(asyncio.Protocol):
    """Lines of the warden. `on_line` gets each of them, `on_end` is called when the connection has closed."""

    def __init__(self, on_line: Callable[[str], None], on_end: Callable[[], None]) -> None:
        self._on_line = on_line
        self._on_end = on_end
        self._partial = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._on_line(line.decode())

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_end()
