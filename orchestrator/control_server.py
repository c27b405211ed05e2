"""The running chain's ear: JSON lines over a loopback socket whose port and token stand in a 0600 file.

A second file of the kind tells the desk, with a token of its own that is good for a few commands only.

One request per connection, `{"token", "command", …}`; any number of answers, the last of which holds `"ok"`. The same on every
system, and no path of a socket to be too long. The other side is control.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from .home import write_private

Message = dict[str, Any]
Handler = Callable[[Message], AsyncIterator[Message]]

_LINE_LIMIT = 4 * 1024 * 1024


class ControlServer:
    """`handlers` yield the answers to a command; the connection that asked ends them when it closes. `restricted` are further
    files, each with the commands that its token is good for."""

    def __init__(
        self,
        path: Path,
        handlers: dict[str, Handler],
        facts: Message,
        restricted: Mapping[Path, Collection[str]] | None = None,
    ) -> None:
        self._path = path
        self._handlers = handlers
        self._facts = facts
        self._tokens = {each: secrets.token_urlsafe(32) for each in (path, *(restricted or {}))}
        self._allowed = {path: set(handlers), **{each: set(commands) for each, commands in (restricted or {}).items()}}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LINE_LIMIT)
        port = self._server.sockets[0].getsockname()[1]
        for path, token in self._tokens.items():
            facts = self._facts if path == self._path else {}
            write_private(path, json.dumps({"port": port, "token": token, **facts}).encode())

    def stop(self) -> None:
        for path in self._tokens:
            path.unlink(missing_ok=True)
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
        command = str(request.get("command"))
        handler = self._handlers.get(command)
        given = str(request.get("token")).encode()
        whose = next((path for path, token in self._tokens.items() if hmac.compare_digest(given, token.encode())), None)
        if whose is None:
            yield {"ok": False, "error": "this is not the token of the running chain"}
        elif handler is None:
            yield {"ok": False, "error": f"the running chain does not know `{command}`; restart it"}
        elif command not in self._allowed[whose]:
            yield {"ok": False, "error": f"this token is not good for `{command}`"}
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
