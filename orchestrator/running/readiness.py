"""How it is known that a stage can take requests, and that it still does: by a line of its log, `GET /health`, or its port."""

from __future__ import annotations

import asyncio
import contextlib

from ..spec import StageSpec
from .process import Child

POLL_SECONDS = 0.05
_REQUEST = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


async def wait_ready(spec: StageSpec, child: Child | None) -> None:
    """Returns once the stage is ready; waits for ever otherwise, so give it a limit."""
    if spec.ready == "log" and child is not None:
        await asyncio.shield(child.said_ready)
        return
    probe = answers_health if spec.ready == "health" else accepts
    while not await probe(spec.host, spec.port):  # noqa: ASYNC110  # another program's port sends no event
        await asyncio.sleep(POLL_SECONDS)


async def accepts(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


async def answers_health(host: str, port: int) -> bool:
    """Whether `GET /health` is answered with 200 within a second."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            return await _status_line(host, port) == b"200"
    return False


async def responds(host: str, port: int, seconds: float) -> bool:
    """Whether `GET /health` is answered in time, whatever the answer is."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(seconds):
            return bool(await _status_line(host, port))
    return False


async def _status_line(host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(_REQUEST)
        await writer.drain()
        words = (await reader.readline()).split(b" ")
        return words[1] if len(words) > 1 else b""
    finally:
        writer.close()
