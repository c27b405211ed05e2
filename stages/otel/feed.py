"""The traces of the running chain, as they end: one JSON line out to the orchestrator, many in, over loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

LONGEST_LINE = 16 * 1024 * 1024
PAUSE_SECONDS = 0.5


class Address(msgspec.Struct):
    """What the file says: where the orchestrator listens, and the restricted token of this run."""

    port: int
    token: str


async def traces(path: str) -> AsyncIterator[dict[str, Any]]:
    """For ever; `path` is the file that the orchestrator has written. It may be written after this has begun, and the orchestrator
    may close the connection: then it is asked again, a moment later."""
    while True:
        try:
            async for each in _until_closed(Path(path)):
                yield each
        except (OSError, ValueError, msgspec.MsgspecError):
            pass
        await asyncio.sleep(PAUSE_SECONDS)


async def _until_closed(path: Path) -> AsyncIterator[dict[str, Any]]:
    address = msgspec.json.decode(await asyncio.to_thread(path.read_bytes), type=Address)
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port, limit=LONGEST_LINE)
    try:
        asked = {"token": address.token, "command": "traces", "follow": True}
        writer.write(msgspec.json.encode(asked) + b"\n")
        while line := await reader.readline():
            message = msgspec.json.decode(line, type=dict[str, Any])
            if "trace" in message:
                yield message["trace"]
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
