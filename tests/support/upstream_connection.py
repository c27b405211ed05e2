"""One connection of the scripted upstream: requests in, scripted answers out, and the moment the client left."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from chat_answers import Answer, Close, Reset, Silence, Step, Wait
from waiting import PATIENCE

_END = b"0\r\n\r\n"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST


class Received:
    """A request as it came. Times are `time.monotonic()`. `left_at` is set only where the client left before the answer's end."""

    def __init__(self, head: bytes, raw: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = first.split(" ", 2)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.raw = raw
        self.number = 0
        self.at = time.monotonic()
        self.answered_at: float | None = None
        self.left_at: float | None = None
        self._over = threading.Event()

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def text(self) -> str:
        return self.raw.decode()

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.body["messages"]

    def wait_until_left(self, seconds: float = PATIENCE) -> float:
        """When the client went away in the middle of its answer."""
        assert self._over.wait(seconds), f"the client of request {self.number} had not left after {seconds:g} s"
        assert self.left_at is not None, f"request {self.number} was answered to its end"
        return self.left_at

    def wait_until_over(self, seconds: float = PATIENCE) -> None:
        """The answer is out, or the client has left."""
        assert self._over.wait(seconds), f"request {self.number} was not over after {seconds:g} s"

    def end(self, *, left: bool) -> None:
        """For the connection."""
        if not self._over.is_set():
            now = time.monotonic()
            self.left_at, self.answered_at = (now, None) if left else (None, now)
            self._over.set()


class Connection(asyncio.Protocol):
    """Reads on while it answers, so that a client that leaves is noticed at once."""

    def __init__(self, answer: Callable[[Received], Answer], siblings: set[Connection]) -> None:
        self._answer = answer
        self._siblings = siblings
        self._data = bytearray()
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._current: Received | None = None

    # -- asyncio.Protocol ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._siblings.add(self)
        self._task = asyncio.ensure_future(self._serve())

    def data_received(self, data: bytes) -> None:
        self._data += data
        self._more.set()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._siblings.discard(self)
        if self._current is not None:
            self._current.end(left=True)
        self._task.cancel()

    def abort(self) -> asyncio.Task[None]:
        self._transport.abort()
        self._task.cancel()
        return self._task

    # -- requests and answers -----------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        while not self._transport.is_closing():
            self._current = await self._request()
            answer = self._answer(self._current)
            if not await self._run(answer.before_head, chunked=False):
                break
            chunked = "content-length" not in answer.headers
            self._transport.write(_head(answer, chunked=chunked))
            if not await self._run(answer.steps, chunked=chunked, end=_END if chunked else b""):
                break
            self._current.end(left=False)

    async def _request(self) -> Received:
        while (split := self._data.find(b"\r\n\r\n")) < 0:
            await self._read_more()
        head = bytes(self._data[:split])
        del self._data[: split + 4]
        request = Received(head, b"")
        request.raw = await self._body(request.headers)
        return request

    async def _body(self, headers: dict[str, str]) -> bytes:
        assert "chunked" not in headers.get("transfer-encoding", ""), "the scripted upstream reads bodies of known length only"
        length = int(headers.get("content-length", 0))
        while len(self._data) < length:
            await self._read_more()
        body = bytes(self._data[:length])
        del self._data[:length]
        return body

    async def _read_more(self) -> None:
        self._more.clear()
        await self._more.wait()

    async def _run(self, steps: tuple[Step, ...], *, chunked: bool, end: bytes = b"") -> bool:
        """Whether the answer goes on behind these steps. `end` goes out with the last of them, in one piece: a client that has
        heard all there is to hear need not wait for more, and would then seem to have left early."""
        for place, step in enumerate(steps, 1):
            if isinstance(step, Wait):
                await step.gate.pass_through()
            elif isinstance(step, Silence):
                await asyncio.Event().wait()
            elif isinstance(step, Close | Reset):
                self._cut(reset=isinstance(step, Reset))
                return False
            else:
                data = step if isinstance(step, bytes) else b"data: " + json.dumps(step).encode() + b"\n\n"
                framed = b"%x\r\n%b\r\n" % (len(data), data) if chunked else data
                if place == len(steps):
                    self._transport.write(framed + end)
                    return True
                self._transport.write(framed)
                await asyncio.sleep(0)  # see whether the client has left
                await self._room.wait()
        self._transport.write(end)
        return True

    def _cut(self, *, reset: bool) -> None:
        assert self._current is not None
        self._current.end(left=False)
        if reset:
            raw: socket.socket = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()
        else:
            self._transport.close()


def _head(answer: Answer, *, chunked: bool) -> bytes:
    headers = {**answer.headers, **({"transfer-encoding": "chunked"} if chunked else {})}
    lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
