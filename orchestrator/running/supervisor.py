"""The running chain: one keeper per stage, started egress first and stopped door first."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping

from ..spec import ChainPlan, StageSpec
from .keeper import Keeper
from .process import Spawner
from .status import StageStatus


class Supervisor:
    """Owns the keepers. `sockets` are the listening sockets that were bound for the plan, by stage name."""

    def __init__(
        self,
        plan: ChainPlan,
        spawner: Spawner,
        sockets: Mapping[str, socket.socket],
        *,
        changed: Callable[[StageStatus], None],
        printed: Callable[[str, str], None],
        files: Callable[[StageSpec], None],
        settled: Callable[[StageSpec], None],
    ) -> None:
        self.plan = plan
        self.keepers = {
            spec.name: Keeper(spec, spawner, sockets.get(spec.name), changed=changed, printed=printed, files=files, settled=settled)
            for spec in plan.start_order
        }
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> list[StageStatus]:
        """Start everything; returns the stages that failed. Stages start side by side, the door waits for the others."""
        *inner, door = self.plan.start_order
        for spec in inner:
            self._launch(spec.name)
        await asyncio.gather(*(self.keepers[spec.name].settled_once.wait() for spec in inner))
        if not self.failed():
            self._launch(door.name)
            await self.keepers[door.name].settled_once.wait()
        return self.failed()

    async def stop(self) -> None:
        """Close the door first, so that what streams can finish through whole stages."""
        for spec in reversed(self.plan.start_order):
            if spec.name in self._tasks:
                await self.keepers[spec.name].stop()
        await asyncio.gather(*self._tasks.values())

    def kill(self) -> None:
        """End every process now, whatever it is doing."""
        for keeper in self.keepers.values():
            keeper.kill()

    def failed(self) -> list[StageStatus]:
        return [keeper.status for keeper in self.keepers.values() if keeper.status.state == "failed"]

    def statuses(self) -> list[StageStatus]:
        """In the order a request meets the stages; what stands beside and between them behind."""
        plan = self.plan
        return [self.keepers[spec.name].status for spec in (*plan.chain, *plan.egress, *plan.side, *plan.probes)]

    def _launch(self, name: str) -> None:
        self._tasks[name] = asyncio.create_task(self.keepers[name].run(), name=f"keep {name}")
