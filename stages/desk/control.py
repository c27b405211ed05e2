"""How the desk asks the orchestrator: one JSON line out, one in, over loopback."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import msgspec

from ..contract.errors import SERVER_ERROR, Failure, HopError

# Writing a configuration anew takes a moment on a slow disk; nothing that is asked here takes longer.
SECONDS = 30.0
LONGEST_LINE = 16 * 1024 * 1024


class Address(msgspec.Struct):
    """What the file says: where the orchestrator listens, and the restricted token of this run."""

    port: int
    token: str


class Control:
    """`path` is the file that the orchestrator has written for the desk."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    async def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """The answer. Raises `HopError` with the orchestrator's own sentence where it refuses."""
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._answer(command, arguments)
        except (OSError, ValueError, msgspec.MsgspecError) as error:  # a timeout is an OSError too
            raise _unreachable() from error
        if not answer.get("ok"):
            status = answer.get("status", 502)
            raise HopError(Failure(code=answer.get("code", SERVER_ERROR), message=str(answer.get("error")), status=status))
        return answer

    async def _answer(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        address = msgspec.json.decode(await asyncio.to_thread(self._path.read_bytes), type=Address)
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port, limit=LONGEST_LINE)
        try:
            writer.write(msgspec.json.encode({"token": address.token, "command": command, **arguments}) + b"\n")
            return msgspec.json.decode(await reader.readline(), type=dict[str, Any])
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _unreachable() -> HopError:
    sentence = "the desk cannot ask the orchestrator of this chain; `codex-shim status` tells whether it still runs"
    return HopError(Failure(code=SERVER_ERROR, message=sentence, status=503))
