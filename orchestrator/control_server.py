"""The running chain's ear: JSON lines over a loopback socket whose port and token stand in a 0600 file.

One request per connection, `{"token", "command", …}`; any number of answers, the last of which holds `"ok"`. The same on every
system, and no path of a socket to be too long. The other side is control.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from .home import write_private

Message = dict[str, Any]
Handler = Callable[[Message], AsyncIterator[Message]]

_LINE_LIMIT = 4 * 1024 * 1024


class ControlServer:
    """`handlers` yield the answers to a command; the connection that asked ends them when it closes."""

    def __init__(self, path: Path, handlers: dict[str, Handler], facts: Message) -> None:
        self._path = path
        self._handlers = handlers
        self._facts = facts
        self._token = secrets.token_urlsafe(32)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LINE_LIMIT)
        port = self._server.sockets[0].getsockname()[1]
        write_private(self._path, json.dumps({"port": port, "token": self._token, **self._facts}).encode())

    def stop(self) -> None:
        self._path.unlink(missing_ok=True)
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline() or b"{}")
            answers = self._answers(request)
            await _until_closed(reader, _send(answers, writer))
        except (OSError, ValueError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answers(self, request: Message) -> AsyncIterator[Message]:
        handler = self._handlers.get(str(request.get("command")))
        if not hmac.compare_digest(str(request.get("token")).encode(), self._token.encode()):
            yield {"ok": False, "error": "this is not the token of the running chain"}
        elif handler is None:
            yield {"ok": False, "error": f"the running chain does not know `{request.get('command')}`; restart it"}
        else:
            async for message in handler(request):
                yield message


async def _send(answers: AsyncIterator[Message], writer: asyncio.StreamWriter) -> None:
    async with contextlib.aclosing(answers) as messages:  # pyright: ignore[reportArgumentType]  # an async generator has aclose
        async for message in messages:
            writer.write(json.dumps(message).encode() + b"\n")
            await writer.drain()


async def _until_closed(reader: asyncio.StreamReader, work: Awaitable[None]) -> None:
    """Do the work, but not for a client that has gone: a lease or a log that is followed ends with its terminal."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(reader.read())
    await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
    for each in (task, gone):
        each.cancel()
    with contextlib.suppress(asyncio.CancelledError, OSError):
        await task
