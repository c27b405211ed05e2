"""The scripted model provider, as a process of its own: `python -P -m codex_shim.orchestrator.bench.upstream PORT`.

It speaks chat completions and Responses and says what `POST /script` last told it to. It must cost little beside what is measured:
every byte of an answer is rendered once and kept, requests are not parsed, and each delta is one write. It prints its port, and
goes when its standard input closes.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from typing import Any

import msgspec

from .script import MODEL, Script, chat_blocks, responses_blocks

# Streams take turns: so many deltas are written before another connection may go on.
_TURN = 8
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_RENDERERS = {b"/v1/chat/completions": chat_blocks, b"/v1/responses": responses_blocks}


@functools.lru_cache(maxsize=2)
def rendered(path: bytes, script: Script) -> list[bytes]:
    """The writes of a whole answer, chunked already. The end of the body comes with the end of the stream."""
    blocks = [b"%x\r\n%b\r\n" % (len(block), block) for block in _RENDERERS[path](script)]
    return [_STREAM_HEAD + blocks[0], *blocks[1:-1], blocks[-1] + b"0\r\n\r\n"]


class Request:
    """Bytes until they are a whole request. `take` gives path and body once, when they are."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._missing = -1

    def take(self, data: bytes) -> tuple[bytes, bytes] | None:
        self._pieces.append(data)
        if self._missing < 0:
            whole = b"".join(self._pieces)
            head, end, body = whole.partition(b"\r\n\r\n")
            if not end:
                return None
            self._pieces, self._missing = [whole], _content_length(head) - len(body)
        else:
            self._missing -= len(data)
        return self._finish() if self._missing <= 0 else None

    def _finish(self) -> tuple[bytes, bytes]:
        head, _, body = b"".join(self._pieces).partition(b"\r\n\r\n")
        self._pieces, self._missing = [], -1
        return head.split(b" ", 2)[1], body


def _content_length(head: bytes) -> int:
    found = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    return int(found or 0)


class Connection(asyncio.Protocol):
    """One client. `shared` holds the script, which is the same for all of them."""

    def __init__(self, shared: dict[str, Script]) -> None:
        self._shared = shared
        self._request = Request()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._room = True
        self._blocks: list[bytes] = []
        self._next = 0
        self._pause = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if request := self._request.take(data):
            self._answer(*request)

    def pause_writing(self) -> None:
        self._room = False

    def resume_writing(self) -> None:
        self._room = True
        self._go_on()

    def _answer(self, path: bytes, body: bytes) -> None:
        if path in _RENDERERS:
            script = self._shared["script"]
            self._blocks, self._next, self._pause = rendered(path, script), 0, script.pause_ms / 1000
            self._go_on()
        elif path == b"/script":
            self._shared["script"] = msgspec.json.decode(body, type=Script)
            self._reply({"ok": True})
        else:
            self._reply({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def _reply(self, value: Any) -> None:
        assert self._transport is not None
        body = msgspec.json.encode(value)
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    def _go_on(self) -> None:
        """Write until it is another's turn, the client has no room, or a pause is due."""
        for _ in range(1 if self._pause else _TURN):
            if self._transport is None or not self._room or self._next == len(self._blocks):
                return
            self._transport.write(self._blocks[self._next])
            self._next += 1
        if self._room and self._next < len(self._blocks):  # without room, `resume_writing` goes on
            self._loop.call_later(self._pause, self._go_on) if self._pause else self._loop.call_soon(self._go_on)


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    shared = {"script": Script()}
    server = await loop.create_server(lambda: Connection(shared), "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
