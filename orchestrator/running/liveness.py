"""Whether stages that are ready still answer. A process that hangs looks well from outside: only asking it tells.

Every few seconds each ready stage is asked for its health, by one small request over loopback. One that keeps silent is `hung`,
which is shown. One that stays silent is killed: its keeper starts another one, and whoever waits for an answer hears of it. What
streams answers all the same. A program that cannot do both at once has `ready = "tcp"` and is not asked; nor is one that sleeps,
which would wake it, or one that is run by hand, which may stand at a breakpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from ..spec import StageSpec
from .readiness import responds
from .status import StageStatus

# Where nobody is to be asked: how often it is looked whether that is still so.
IDLE_SECONDS = 5.0
# Questions in a row without an answer, each of which may take a period.
HUNG_AFTER = 2
KILLED_AFTER = 4

Look = Callable[[str, int, float], Awaitable[bool]]


class Watched(Protocol):
    """The part of a keeper that is needed here."""

    spec: StageSpec
    status: StageStatus

    def suspect(self, hung: bool) -> None:
        """Whether its process keeps silent."""
        ...

    def end_hung(self, why: str) -> None:
        """Kill the process that serves now; `why` is how it ended, as a part of a sentence."""
        ...


class Liveness:
    """`keepers` gives those that there are at each moment; `period` is in seconds how often they are asked, 0 for never; `look`
    tells whether an address answers within some seconds."""

    def __init__(self, keepers: Callable[[], Iterable[Watched]], period: Callable[[], float], look: Look = responds) -> None:
        self._keepers = keepers
        self._period = period
        self._look = look
        self._silent: dict[tuple[str, int | None], int] = {}  # questions without an answer, by name and process

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            period = self._period()
            await asyncio.sleep(period or IDLE_SECONDS)
            if period:
                await self.round(period)

    async def round(self, seconds: float) -> None:
        """Ask each stage once; an answer may take so long."""
        asked = [keeper for keeper in self._keepers() if is_asked(keeper)]
        names = [(keeper.spec.name, keeper.status.pid) for keeper in asked]
        self._silent = {name: count for name, count in self._silent.items() if name in names}
        await asyncio.gather(*(self._ask(keeper, name, seconds) for keeper, name in zip(asked, names, strict=True)))

    async def _ask(self, keeper: Watched, name: tuple[str, int | None], seconds: float) -> None:
        answered = await self._look(keeper.spec.host, keeper.spec.port, seconds)
        if not is_asked(keeper) or keeper.status.pid != name[1]:
            return  # it has ended, or was replaced, meanwhile
        silent = self._silent[name] = 0 if answered else self._silent.get(name, 0) + 1
        if (silent >= HUNG_AFTER) is not (keeper.status.state == "hung"):
            keeper.suspect(silent >= HUNG_AFTER)
        if silent >= KILLED_AFTER:
            keeper.end_hung(f"it hung: GET /health was not answered for {silent * seconds:g} seconds")


def is_asked(keeper: Watched) -> bool:
    return keeper.spec.ready != "tcp" and keeper.status.state in ("ready", "hung")
