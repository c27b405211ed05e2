"""A `Play` on standard input, one `Seen` per line on standard output. It holds the environments of stages, so no argument does."""

from __future__ import annotations

import asyncio
import os
import sys

import msgspec

from ..process import allow_many_connections
from .play import Play, Scene
from .scene import play

# Each scene starts its stages, and starting is what takes the time of a processor.
AT_ONCE = 4


def main() -> None:
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Play)
    allow_many_connections()
    with asyncio.Runner() as runner:
        runner.run(_play_all(wanted))


async def _play_all(wanted: Play) -> None:
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(scene: Scene) -> None:
        async with turn:
            async for seen in play(scene, wanted.patience):
                os.write(1, msgspec.json.encode(seen) + b"\n")

    async with asyncio.TaskGroup() as group:
        for scene in wanted.scenes:
            group.create_task(one(scene))


if __name__ == "__main__":
    main()
