"""Few runs at a time, a short line of those who wait, and a clear refusal for everybody beyond.

A slot is given back by a task of its own, once nothing of the run is left and its folders are empty, so that neither a client that
leaves nor one that asks again has to wait for that.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from ...contract.errors import Failure, HopError
from .. import failures
from .agent import Run
from .breaker import Breaker
from .line import FullError, Line
from .slots import Slot

T = TypeVar("T")

Tell = Callable[..., None]
Waiter = asyncio.Future[Slot]
# What a run is taken to last until some have been seen, and how much each of them weighs.
_USUAL_SECONDS, _WEIGHT = 10.0, 0.3
_RESTART = "`codex-shim restart` cleans up"


class Lease:
    """A slot for the time of one exchange. `run` is the last that was started in it."""

    def __init__(self, slot: Slot, waited: float) -> None:
        self.slot = slot
        self.waited = waited
        self.run: Run | None = None
        self.began = time.monotonic()
        self._work: asyncio.Task[Any] | None = None

    async def on_disk(self, work: Callable[..., T], *arguments: object) -> T:
        """In a thread. Who is cancelled need not wait for it, but it must have ended before the slot is another's."""
        task = asyncio.create_task(asyncio.to_thread(work, *arguments))
        self._work = task
        return await asyncio.shield(task)

    async def over(self) -> bool:
        """Waits until nothing happens in the slot any more; False where a process is left."""
        if self._work is not None:
            await asyncio.wait({self._work})
            self._work.exception()
        return self.run is None or self.run.ended is None or await self.run.ended


class Pool:
    """`tell` writes a line to the log: an event's name and fields."""

    def __init__(self, slots: Sequence[Slot], queue: int, queue_seconds: float, tell: Tell, breaker: Breaker | None = None) -> None:
        self._line: Line[Slot, Waiter] = Line(slots, queue)
        self._queue_seconds = queue_seconds
        self._tell = tell
        self._usual = _USUAL_SECONDS
        self._closed = False
        self._leases: set[Lease] = set()
        self._returning: set[asyncio.Task[None]] = set()
        self.breaker = breaker or Breaker()

    def state(self) -> dict[str, int]:
        """For the health of the stage."""
        return {"slots": self._line.slots, "busy": self._line.taken, "waiting": len(self._line.waiting)}

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Lease]:
        """Raises `HopError`: 429 where the line is full, 503 where it took too long or the worker ends, or as the breaker says."""
        began = time.monotonic()
        self._admit()
        slot = await self._enter()
        lease = Lease(slot, time.monotonic() - began)
        self._leases.add(lease)
        try:
            self._admit()  # what happened meanwhile counts too
            yield lease
        finally:
            self._in_background(self._return(lease))

    async def close(self) -> None:
        """Nobody is let in any more, and what runs is ended at once. Returns when nothing of it is left."""
        self._closed = True
        for waiter in list(self._line.waiting):
            if not waiter.done():
                waiter.set_exception(HopError(_stopping()))
        await asyncio.gather(*(lease.run.hurry() for lease in self._leases if lease.run), return_exceptions=True)
        while self._returning:
            await asyncio.wait(self._returning)

    def _admit(self) -> None:
        if self._closed:
            raise HopError(_stopping())
        if self._line.slots == 0:
            why = f"every slot holds a process that would not end; {_RESTART}"
            raise HopError(failures.unavailable(why))
        if refused := self.breaker.refuses(time.monotonic()):
            raise HopError(refused)

    async def _enter(self) -> Slot:
        waiter: Waiter = asyncio.get_running_loop().create_future()
        try:
            slot = self._line.enter(waiter)
        except FullError:
            raise HopError(failures.pool_full(len(self._line.waiting), self._wait_to_expect())) from None
        if slot is not None:
            return slot
        try:
            async with asyncio.timeout(self._queue_seconds):
                return await waiter
        except TimeoutError:
            self._decline(waiter)
            raise HopError(failures.pool_timeout(self._queue_seconds)) from None
        except BaseException:
            self._decline(waiter)
            raise

    def _decline(self, waiter: Waiter) -> None:
        """Whoever leaves just when its turn has come hands the slot on."""
        self._line.leave(waiter)
        if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            self._pass_on(waiter.result())

    def _pass_on(self, slot: Slot) -> None:
        while (waiter := self._line.give_back(slot)) is not None:
            if not waiter.done():
                waiter.set_result(slot)
                return

    async def _return(self, lease: Lease) -> None:
        try:
            clean = await lease.over()
            if clean:
                await asyncio.to_thread(lease.slot.vacate)
        except Exception as error:
            clean = False
            self._tell("slot_trouble", slot=lease.slot.number, error=f"{type(error).__name__}: {error}")
        finally:
            self._leases.discard(lease)
        self._usual += _WEIGHT * (time.monotonic() - lease.began - self._usual)
        if clean:
            self._pass_on(lease.slot)
        else:
            self._line.retire()
            self._tell("slot_retired", slot=lease.slot.number, left=self._line.slots)
            self._refuse_if_none_is_left()

    def _refuse_if_none_is_left(self) -> None:
        while self._line.slots == 0 and self._line.waiting:
            waiter = self._line.waiting.popleft()
            if not waiter.done():
                waiter.set_exception(HopError(failures.unavailable(f"every slot holds a process that would not end; {_RESTART}")))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    def _wait_to_expect(self) -> float:
        rounds = (len(self._line.waiting) + 1) / max(1, self._line.slots)
        return float(min(60, max(1, math.ceil(rounds * self._usual))))


def _stopping() -> Failure:
    return failures.unavailable("the worker for Cursor is being stopped")
