"""Who gets a slot, who waits, and who is told that there is none: without any process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from codex_shim.stages.contract.errors import Failure, HopError
from codex_shim.stages.egress_cursor import codes
from codex_shim.stages.egress_cursor.refusals import rate_limited
from codex_shim.stages.egress_cursor.running.breaker import Breaker
from codex_shim.stages.egress_cursor.running.line import FullError, Line
from codex_shim.stages.egress_cursor.running.pool import Lease, Pool
from codex_shim.stages.egress_cursor.running.slots import Slot
from hypothesis import given
from hypothesis import strategies as st

LOGGED_OUT = Failure(code=codes.AUTH_REQUIRED, message="Log in.", status=401)
CRASHED = Failure(code=codes.PROTOCOL_ERROR, message="It crashed.")


class PaperSlot:
    """Counts how often it was emptied; `stubborn` cannot be."""

    def __init__(self, number: int, stubborn: bool = False) -> None:
        self.number = number
        self.vacated = 0
        self.stubborn = stubborn

    def vacate(self) -> None:
        if self.stubborn:
            raise PermissionError("not mine")
        self.vacated += 1


class FinishedRun:
    """What a lease needs to know of a run."""

    def __init__(self, clean: bool) -> None:
        self.ended = asyncio.get_running_loop().create_task(_value(clean))
        self.hurried = False

    async def hurry(self) -> None:
        self.hurried = True


class OpenBreaker(Breaker):
    def refuses(self, now: float) -> Failure | None:
        return CRASHED


async def _value(value: bool) -> bool:
    return value


def pool(*slots: PaperSlot, queue: int = 8, seconds: float = 30.0, told: list[Any] | None = None) -> Pool:
    tell = (lambda event, **fields: told.append((event, fields))) if told is not None else (lambda event, **fields: None)
    return Pool(cast("list[Slot]", list(slots)), queue, seconds, tell)


def running(work: Callable[[], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(30):
            return await work()

    return asyncio.run(bounded())


async def turn_of(pool: Pool, name: str, order: list[str], gate: asyncio.Event) -> None:
    async with pool.lease():
        order.append(name)
        await gate.wait()


async def settle(pool: Pool, **state: int) -> None:
    while {name: pool.state()[name] for name in state} != state:
        await asyncio.sleep(0)


def test_first_come_first_served() -> None:
    async def work() -> list[str]:
        one, order, gate = pool(PaperSlot(0)), [], asyncio.Event()
        tasks = []
        for name in "abcd":
            tasks.append(asyncio.create_task(turn_of(one, name, order, gate)))
            await settle(one, busy=1, waiting=len(tasks) - 1)
        gate.set()
        await asyncio.gather(*tasks)
        await settle(one, busy=0)
        return order

    assert running(work) == ["a", "b", "c", "d"]


def test_beyond_the_queue_there_is_a_429_that_says_how_long() -> None:
    """D50."""

    async def work() -> Failure:
        one, gate = pool(PaperSlot(0), queue=1), asyncio.Event()
        tasks = [asyncio.create_task(turn_of(one, name, [], gate)) for name in "ab"]
        await settle(one, busy=1, waiting=1)
        with pytest.raises(HopError) as refused:
            async with one.lease():
                raise AssertionError("nobody is let in")
        gate.set()
        await asyncio.gather(*tasks)
        await settle(one, busy=0)
        return refused.value.failure

    failure = running(work)
    assert (failure.status, failure.code) == (429, "cursor_pool_full")
    assert failure.retry_after
    assert failure.retry_after >= 1


def test_who_waits_too_long_gets_a_503_and_is_forgotten() -> None:
    async def work() -> Failure:
        one, gate = pool(PaperSlot(0), seconds=0.01), asyncio.Event()
        task = asyncio.create_task(turn_of(one, "a", [], gate))
        await settle(one, busy=1)
        with pytest.raises(HopError) as refused:
            async with one.lease():
                raise AssertionError("nobody is let in")
        assert one.state()["waiting"] == 0
        gate.set()
        await task
        await settle(one, busy=0)
        return refused.value.failure

    failure = running(work)
    assert (failure.status, failure.code) == (503, "cursor_pool_timeout")


def test_a_client_that_leaves_the_queue_makes_room_and_loses_no_slot() -> None:
    async def work() -> list[str]:
        one, order, gate = pool(PaperSlot(0), queue=2), [], asyncio.Event()
        first, leaver, last = [asyncio.create_task(turn_of(one, name, order, gate)) for name in ("first", "leaver", "last")]
        await settle(one, busy=1, waiting=2)
        leaver.cancel()
        await settle(one, busy=1, waiting=1)
        gate.set()
        await asyncio.gather(first, last)
        await settle(one, busy=0)
        return order

    assert running(work) == ["first", "last"]


def test_a_client_that_leaves_in_the_moment_of_its_turn_hands_the_slot_on() -> None:
    async def work() -> list[str]:
        one, order, gate = pool(PaperSlot(0)), [], asyncio.Event()
        first, leaver, last = [asyncio.create_task(turn_of(one, name, order, gate)) for name in ("first", "leaver", "last")]
        await settle(one, busy=1, waiting=2)
        gate.set()
        await first
        while one.state()["waiting"] == 2:  # the slot is being given to the leaver, who has not woken up yet
            await asyncio.sleep(0)
        leaver.cancel()
        await last
        await settle(one, busy=0)
        return order

    assert running(work) == ["first", "last"]


def test_a_slot_is_emptied_before_the_next_one_has_it() -> None:
    async def work() -> int:
        slot = PaperSlot(0)
        one = pool(slot)
        async with one.lease():
            assert slot.vacated == 0
        async with one.lease():
            return slot.vacated

    assert running(work) == 1


@pytest.mark.parametrize("fault", ["process", "files"])
def test_a_slot_that_cannot_be_cleaned_is_retired_and_told_of(fault: str) -> None:
    async def work() -> tuple[list[Any], Failure]:
        told: list[Any] = []
        one = pool(PaperSlot(0, stubborn=fault == "files"), told=told)
        waiting = asyncio.create_task(turn_of(one, "late", [], asyncio.Event()))
        async with one.lease() as lease:
            await settle(one, waiting=1)
            lease.run = cast("Any", FinishedRun(clean=fault == "files"))
        with pytest.raises(HopError) as refused:
            await waiting
        with pytest.raises(HopError):
            async with one.lease():
                raise AssertionError("nobody is let in")
        return told, refused.value.failure

    told, failure = running(work)
    assert ("slot_retired", {"slot": 0, "left": 0}) in told
    assert (failure.status, failure.code) == (503, "cursor_unavailable")


def test_a_closing_pool_ends_what_runs_and_refuses_what_waits() -> None:
    async def work() -> tuple[bool, Failure, Failure]:
        one, gate = pool(PaperSlot(0)), asyncio.Event()
        leases: list[Lease] = []

        async def hold() -> None:
            async with one.lease() as lease:
                leases.append(lease)
                await gate.wait()

        holder = asyncio.create_task(hold())
        await settle(one, busy=1)
        while not leases:
            await asyncio.sleep(0)
        run = FinishedRun(clean=True)
        leases[0].run = cast("Any", run)
        waiter = asyncio.create_task(turn_of(one, "late", [], gate))
        await settle(one, waiting=1)
        await one.close()
        with pytest.raises(HopError) as waited:
            await waiter
        with pytest.raises(HopError) as came:
            async with one.lease():
                raise AssertionError("nobody is let in")
        gate.set()
        await holder
        await settle(one, busy=0)
        return run.hurried, waited.value.failure, came.value.failure

    hurried, waited, came = running(work)
    assert hurried
    assert {failure.code for failure in (waited, came)} == {"cursor_unavailable"}


def test_an_open_breaker_refuses_with_its_reason() -> None:
    async def work() -> Failure:
        one = pool(PaperSlot(0))
        one.breaker = OpenBreaker()
        with pytest.raises(HopError) as refused:
            async with one.lease():
                raise AssertionError("nobody is let in")
        return refused.value.failure

    failure = running(work)
    assert failure == CRASHED


def test_three_failures_of_the_login_in_a_row_open_the_breaker_for_half_a_minute() -> None:
    breaker = Breaker()
    breaker.take(LOGGED_OUT, 100)
    breaker.take(LOGGED_OUT, 101)
    assert breaker.refuses(101) is None
    breaker.take(LOGGED_OUT, 102)
    assert seconds_of(breaker.refuses(102.5)) == 30
    assert breaker.refuses(132) is None
    breaker.take(LOGGED_OUT, 133)  # one may try, and meets the same
    assert seconds_of(breaker.refuses(134)) == 29


def test_an_open_breaker_says_what_was_said_last_so_that_a_client_does_the_same_about_it() -> None:
    breaker = Breaker(most=1)
    breaker.take(LOGGED_OUT, 100)
    told = breaker.refuses(110)
    assert told is not None
    assert (told.code, told.status) == (LOGGED_OUT.code, LOGGED_OUT.status)
    assert told.message == "Log in. cursor-agent is asked again in 20 seconds."
    breaker.take(rate_limited(15), 200)
    assert breaker.refuses(210) == rate_limited(20)


def seconds_of(failure: Failure | None) -> float | None:
    return failure.retry_after if failure else None


def test_a_good_run_ends_the_count_and_a_crash_does_not_count() -> None:
    breaker = Breaker()
    for failure in (LOGGED_OUT, CRASHED, LOGGED_OUT, None, LOGGED_OUT, LOGGED_OUT):
        breaker.take(failure, 1)
    assert breaker.refuses(1) is None


@given(st.lists(st.sampled_from(["enter", "leave", "back", "retire"])), st.integers(0, 3), st.integers(0, 3))
def test_no_slot_is_ever_lost_or_given_twice(moves: list[str], slots: int, most: int) -> None:
    line: Line[int, int] = Line(range(slots), most)
    holding: list[int] = []
    retired = 0
    for token, move in enumerate(moves):
        if move == "enter":
            try:
                slot = line.enter(token)
            except FullError:
                assert not line.free
                assert len(line.waiting) == most
                continue
            if slot is not None:
                holding.append(slot)
        elif move == "leave" and line.waiting:
            line.leave(line.waiting[-1])
        elif move == "back" and holding:
            slot = holding.pop(0)
            if line.give_back(slot) is not None:
                holding.append(slot)
        elif move == "retire" and holding:
            holding.pop()
            line.retire()
            retired += 1
        assert sorted([*holding, *line.free]) == sorted({*holding, *line.free})
        assert line.slots == slots - retired == len(holding) + len(line.free)
        assert not (line.free and line.waiting)
