"""The running chain: one keeper per stage, started egress first and stopped door first; and its way from one plan to the next."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..rewiring import Rewiring
from ..spec import ChainPlan, StageSpec
from .keeper import Keeper
from .process import Spawner
from .status import UP, StageStatus


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
        self._spawner = spawner
        self._changed = changed
        self._printed = printed
        self._files = files
        self._settled = settled
        self._tasks: dict[Keeper, asyncio.Task[None]] = {}
        self._leaving: dict[Keeper, asyncio.Task[None]] = {}  # out of the plan; some process may still send to them
        self._ending = False
        self.keepers = {spec.name: self._keeper(spec, sockets.get(spec.name)) for spec in plan.start_order}

    async def start(self) -> list[StageStatus]:
        """Start everything; returns the stages that failed. Stages start side by side, the door waits for the others."""
        *inner, door = self.plan.start_order
        await self._launch([self.keepers[spec.name] for spec in inner])
        if not self.failed():
            await self._launch([self.keepers[door.name]])
        return self.failed()

    async def stop(self) -> None:
        """Close the door first, so that what streams can finish through whole stages; what is leaving anyway goes last."""
        self._ending = True
        for keeper in list(self._tasks):
            keeper.hurry()
        for keeper in [self.keepers[spec.name] for spec in reversed(self.plan.start_order)]:
            if keeper in self._tasks:
                await keeper.stop()
        for letting_go in self._leaving.values():
            letting_go.cancel()
        for keeper in list(self._tasks):
            await keeper.stop()
        await asyncio.gather(*self._tasks.values())

    def kill(self) -> None:
        """End every process now, whatever it is doing."""
        for keeper in self._tasks:
            keeper.kill()

    def failed(self) -> list[StageStatus]:
        return [keeper.status for keeper in self.keepers.values() if keeper.status.state == "failed"]

    def statuses(self) -> list[StageStatus]:
        """In the order a request meets the stages; the probes behind them."""
        plan = self.plan
        return [self.keepers[spec.name].status for spec in (*plan.chain, *plan.egress, *plan.side, *plan.probes)]

    def retired(self) -> dict[str, list[int]]:
        """The processes that only finish what they stream, by the name of their stage."""
        found: dict[str, list[int]] = {}
        for keeper in self._tasks:
            pids = [child.pid for child in keeper.running] if keeper in self._leaving else keeper.retired
            if pids:
                found.setdefault(keeper.spec.name, []).extend(pids)
        return found

    async def rewire(self, plan: ChainPlan, way: Rewiring, sockets: Mapping[str, socket.socket]) -> str | None:
        """Go over to `plan`; `sockets` are those of the stages that are new or renewed. Returns why it could not be done: then all
        is as it was. What was taken out ends later, when nobody sends there any more."""
        if self._ending:
            return "the chain is being stopped"
        new = [self._keeper(spec, sockets.get(spec.name)) for spec in plan.start_order if spec.name in way.of("added", "renewed")]
        if error := await self._start_new(new) or await self._replace_all(plan, way.of("replaced")):
            await asyncio.gather(*(keeper.stop() for keeper in new))
            await asyncio.gather(*(self._tasks.pop(keeper) for keeper in new))
            return error
        old, self.plan = self.keepers, plan
        self.keepers = {**{spec.name: old[spec.name] for spec in plan.start_order if spec.name in old}, **_by_name(new)}
        for keeper in set(old.values()) - set(self.keepers.values()):
            self._leaving[keeper] = asyncio.create_task(self._let_go(keeper), name=f"let go of {keeper.spec.name}")
        return None

    async def _start_new(self, keepers: Sequence[Keeper]) -> str | None:
        await self._launch(keepers)
        failed = [keeper.status for keeper in keepers if keeper.status.state not in UP]
        return explain(failed) or None

    async def _replace_all(self, plan: ChainPlan, names: set[str]) -> str | None:
        """From the workers to the door, one after the other: whoever is new may ask for what only the new ones behind it know."""
        done: list[tuple[Keeper, StageSpec]] = []
        for spec in plan.start_order:
            if spec.name not in names:
                continue
            keeper = self.keepers[spec.name]
            before = keeper.spec
            if error := await keeper.replace(spec):
                return (
                    f"the stage `{spec.name}` could not be replaced: {error}{_said(keeper.words[:-1])}{await self._put_back(done)}"
                )
            done.append((keeper, before))
        return None

    async def _put_back(self, done: Sequence[tuple[Keeper, StageSpec]]) -> str:
        """The end of a sentence; empty where all went well."""
        errors = []
        for keeper, before in reversed(done):
            if not self._ending and (error := await keeper.replace(before)):
                errors.append(f"; `{keeper.spec.name}` could not be put back either: {error}")
        return "".join(errors)

    async def _let_go(self, keeper: Keeper) -> None:
        """Stop what is no longer in the plan, as soon as nobody is left who may send to it."""
        while senders := self._senders(keeper):
            await asyncio.wait(senders, return_when=asyncio.FIRST_COMPLETED)
        await keeper.leave()
        del self._leaving[keeper], self._tasks[keeper]

    def _senders(self, to: Keeper) -> set[asyncio.Future[Any]]:
        """What ends when one of those who may still send to a stage does: retired processes, and what is leaving itself."""
        url = to.spec.url
        found: set[asyncio.Future[Any]] = set()
        for keeper, task in self._tasks.items():
            found |= {child.exited for child, spec in keeper.running.items() if spec.sends_to(url)}
            if keeper in self._leaving and keeper.spec.sends_to(url):
                found.add(task)
        return found

    def _keeper(self, spec: StageSpec, listening: socket.socket | None) -> Keeper:
        return Keeper(
            spec,
            self._spawner,
            listening,
            changed=self._changed,
            printed=self._printed,
            files=self._files,
            settled=self._settled,
        )

    async def _launch(self, keepers: Sequence[Keeper]) -> None:
        """Returns when each of them is up, asleep, or has failed."""
        for keeper in keepers:
            self._tasks[keeper] = asyncio.create_task(keeper.run(), name=f"keep {keeper.spec.name}")
        await asyncio.gather(*(keeper.settled_once.wait() for keeper in keepers))


def explain(failed: Sequence[StageStatus]) -> str:
    """Which stages did not come up, why, and what they said last."""
    return "\n".join(f"the stage `{status.name}` did not come up: {status.last_exit}{_said(status.lines)}" for status in failed)


def _said(lines: Sequence[str]) -> str:
    return "".join(f"\n  │ {line}" for line in lines)


def _by_name(keepers: Sequence[Keeper]) -> dict[str, Keeper]:
    return {keeper.spec.name: keeper for keeper in keepers}
