"""The life of a stage, played with processes that a test holds in its hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from codex_shim.orchestrator.running.keeper import Keeper
from codex_shim.orchestrator.running.status import StageStatus
from codex_shim.orchestrator.sockets import bind
from codex_shim.orchestrator.spec import StageSpec
from fake_processes import FakeChild, FakeSpawner
from waiting import PATIENCE


class Play:
    def __init__(self, kind: Literal["module", "command"] = "module", drain_seconds: float = 5.0, lazy: bool = False) -> None:
        self.states: list[str] = []
        self.put: list[str] = []
        self.taken_away: list[str] = []
        self.spawner = FakeSpawner()
        listening = bind("127.0.0.1", 0)
        self.port = listening.getsockname()[1]
        self.listening = listening
        spec = StageSpec(
            name="s",
            kind=kind,
            host="127.0.0.1",
            port=self.port,
            argv=("m",),
            inherits=kind == "module",
            lazy=lazy,
            drain_seconds=drain_seconds,
        )
        if kind == "command":
            listening.close()
        self.keeper = Keeper(
            spec,
            self.spawner,
            listening if kind == "module" else None,
            changed=self._changed,
            printed=lambda stage, line: None,
            files=lambda spec: self.put.append(spec.name),
            settled=lambda spec: self.taken_away.append(spec.name),
            dice=lambda: 0.0,
        )
        self.task = asyncio.create_task(self.keeper.run())

    def _changed(self, status: StageStatus) -> None:
        self.states.append(status.state)

    async def until(self, state: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.keeper.status.state != state:
                await asyncio.sleep(0)

    @property
    def child(self) -> FakeChild:
        return self.spawner.children[-1]

    async def connect(self) -> asyncio.StreamWriter:
        """A connection that nobody accepts: the process is none."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        return writer

    def accept(self) -> None:
        """What a process would do with the connection that has started it."""
        self.listening.accept()[0].close()

    async def refused(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except ConnectionRefusedError:
            return True
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return False


@asynccontextmanager
async def play(**options) -> AsyncIterator[Play]:
    scene = Play(**options)
    try:
        yield scene
    finally:
        await scene.keeper.stop()
        await scene.task


def scene(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run an async test."""

    def run() -> None:
        asyncio.run(test())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


@scene
async def test_a_stage_starts_serves_and_stops() -> None:
    async with play() as it:
        await it.until("ready")
        assert it.keeper.status.pid == 100
    assert it.states == ["starting", "ready", "stopping", "stopped"]
    assert it.child.told == ["terminate"]


@scene
async def test_a_dead_stage_is_restarted_and_no_connection_is_refused_meanwhile() -> None:
    async with play() as it:
        await it.until("ready")
        it.child.set_exited(-9)
        await it.until("waiting")
        assert it.keeper.status.last_exit == "killed by SIGKILL"
        assert not await it.refused()
        await it.until("ready")
        assert (it.keeper.status.pid, it.keeper.status.restarts) == (101, 1)


@scene
async def test_a_stage_that_keeps_dying_is_given_up_with_its_last_words_and_refuses() -> None:
    async with play() as it:
        await it.until("ready")

        def die(child: FakeChild) -> None:
            child.take_line(b"KeyError: 'x'")
            child.set_exited(1)

        it.spawner.on_spawn = die
        it.child.set_exited(1)
        await it.until("failed")
        assert it.keeper.status.lines[-1] == "KeyError: 'x'"
        assert it.keeper.settled_once.is_set()
        assert await it.refused()
        it.spawner.on_spawn = FakeChild.becomes_ready
        assert await it.keeper.replace() is None
        await it.until("ready")
        assert not await it.refused()


@scene
async def test_unusable_settings_are_not_tried_again() -> None:
    async with play() as it:
        it.spawner.on_spawn = lambda child: child.set_exited(78)
        await it.until("failed")
        assert len(it.spawner.children) == 1


@scene
async def test_a_replacement_is_ready_before_the_old_process_drains() -> None:
    async with play() as it:
        await it.until("ready")
        old = it.child
        assert await it.keeper.replace() is None
        assert old.told[0] == "dismiss"
        assert it.keeper.status.pid == 101
        assert it.child.told == []


@scene
async def test_a_replacement_that_fails_leaves_the_old_process_alone() -> None:
    async with play() as it:
        await it.until("ready")
        old = it.child
        it.spawner.on_spawn = lambda child: child.set_exited(1)
        answer = await it.keeper.replace()
        assert answer is not None
        assert "the old one goes on" in answer
        assert old.told == []
        assert (it.keeper.status.state, it.keeper.status.pid) == ("ready", old.pid)
        assert it.keeper.status.last_exit is None, "the old process has not ended"


@scene
async def test_what_does_not_drain_in_time_is_killed() -> None:
    async with play(drain_seconds=0.01) as it:
        await it.until("ready")
        it.child.obeys = False
    assert it.child.told == ["terminate", "kill"]


@scene
async def test_what_a_foreign_program_leaves_behind_is_swept() -> None:
    async with play(kind="command") as it:
        await it.until("ready")
    assert it.child.told == ["terminate", "sweep"]


@scene
async def test_what_a_foreign_program_leaves_behind_is_swept_when_it_dies_by_itself() -> None:
    async with play(kind="command") as it:
        await it.until("ready")
        first = it.child
        first.set_exited(1)
        await it.until("waiting")
        assert first.told == ["sweep"], "its children may hold the port that its successor needs"


@scene
async def test_restarting_a_foreign_program_is_answered_when_the_new_one_is_ready() -> None:
    async with play(kind="command") as it:
        await it.until("ready")
        assert await it.keeper.replace() is None
        assert (it.keeper.status.state, it.keeper.status.pid, it.keeper.status.restarts) == ("ready", 101, 1)


@scene
async def test_restarting_a_foreign_program_in_vain_says_so() -> None:
    async with play(kind="command") as it:
        await it.until("ready")
        it.spawner.on_spawn = lambda child: child.set_exited(3)
        assert await it.keeper.replace() == "it did not come up (exit code 3)"


@scene
async def test_restarting_a_stage_that_was_given_up_is_answered_when_it_is_ready_or_is_not() -> None:
    async with play() as it:
        it.spawner.on_spawn = lambda child: child.set_exited(78)
        await it.until("failed")
        assert await it.keeper.replace() == "it did not come up (its settings are unusable (exit code 78))"
        await it.until("failed")
        it.spawner.on_spawn = FakeChild.becomes_ready
        assert await it.keeper.replace() is None
        assert it.keeper.status.state == "ready"


@scene
async def test_a_key_is_taken_from_the_disk_after_a_start_that_failed_too() -> None:
    async with play() as it:
        it.spawner.on_spawn = lambda child: child.set_exited(78)
        await it.until("failed")
        assert it.taken_away == it.put == ["s"]


@scene
async def test_stopping_does_not_wait_for_a_start_that_hangs() -> None:
    async with play() as it:
        it.spawner.on_spawn = lambda child: None
        while not it.spawner.children:
            await asyncio.sleep(0)
    assert it.child.told == ["terminate"]
    assert it.states[-1] == "stopped"


@scene
async def test_a_lent_place_is_free_to_bind_and_comes_back() -> None:
    async with play() as it:
        await it.until("ready")
        assert await it.keeper.lease() is None
        await it.until("leased")
        assert await it.keeper.lease() == "s is being run by hand; end that first"
        with bind("127.0.0.1", it.port):
            pass
        assert await it.keeper.give_back() is None
        await it.until("ready")
        assert it.keeper.status.pid == 101


@scene
async def test_a_lazy_stage_sleeps_until_somebody_connects() -> None:
    async with play(lazy=True) as it:
        await it.until("asleep")
        assert it.keeper.settled_once.is_set()
        assert (it.spawner.children, it.put, it.keeper.status.pid) == ([], [], None)
        writer = await it.connect()
        await it.until("ready")
        assert (it.keeper.status.pid, it.put) == (100, ["s"])
        writer.close()
    assert it.states == ["asleep", "starting", "ready", "stopping", "stopped"]


@scene
async def test_a_lazy_stage_that_died_sleeps_again_and_refuses_nobody() -> None:
    async with play(lazy=True) as it:
        await it.until("asleep")
        writer = await it.connect()
        await it.until("ready")
        it.accept()
        it.child.set_exited(-9)
        await it.until("waiting")
        await it.until("asleep")
        assert (it.keeper.status.last_exit, it.keeper.status.restarts, len(it.spawner.children)) == ("killed by SIGKILL", 1, 1)
        writer.close()
        writer = await it.connect()
        await it.until("ready")
        assert it.keeper.status.pid == 101
        writer.close()


@scene
async def test_a_lazy_stage_that_never_comes_up_is_given_up() -> None:
    async with play(lazy=True) as it:
        it.spawner.on_spawn = lambda child: child.set_exited(78)
        await it.until("asleep")
        writer = await it.connect()
        await it.until("failed")
        assert await it.refused()
        it.spawner.on_spawn = FakeChild.becomes_ready
        assert await it.keeper.replace() is None
        assert it.keeper.status.state == "ready", "who asks for a start learns whether it works"
        writer.close()


@scene
async def test_restarting_a_sleeping_stage_changes_nothing() -> None:
    async with play(lazy=True) as it:
        await it.until("asleep")
        assert await it.keeper.replace() is None
        await it.until("asleep")
        assert (it.spawner.children, it.keeper.status.restarts) == ([], 0)


@scene
async def test_a_sleeping_stages_place_can_be_lent() -> None:
    async with play(lazy=True) as it:
        await it.until("asleep")
        assert await it.keeper.lease() is None
        await it.until("leased")
        with bind("127.0.0.1", it.port):
            pass
        assert await it.keeper.give_back() is None
        await it.until("asleep")
        writer = await it.connect()
        await it.until("ready")
        writer.close()


@scene
async def test_where_no_socket_can_be_watched_a_lazy_stage_starts_at_once() -> None:
    loop = asyncio.get_running_loop()

    def cannot(*_: object) -> None:
        raise NotImplementedError

    loop.add_reader, original = cannot, loop.add_reader  # pyright: ignore[reportAttributeAccessIssue]  # as on Windows
    try:
        async with play(lazy=True) as it:
            await it.until("ready")
    finally:
        loop.add_reader = original


@pytest.mark.parametrize("line", [b'{"event":"ready"', b'  {"event":"ready"}', b"ready", b'"event":"ready"'])
def test_only_a_log_line_says_ready(line: bytes) -> None:
    async def check() -> None:
        child = FakeChild(1, lambda text: None)
        child.take_line(line)
        assert child.said_ready.done() == line.startswith(b'{"event":"ready"')

    asyncio.run(check())


@scene
async def test_a_stage_that_somebody_else_has_told_to_go_is_replaced_while_it_finishes() -> None:
    async with play() as it:
        await it.until("ready")
        old = it.child
        old.obeys = False
        old.set_draining()
        async with asyncio.timeout(PATIENCE):
            while it.keeper.status.pid == old.pid:
                await asyncio.sleep(0)
        assert it.keeper.retired == [old.pid]
        old.set_exited(0)
    assert it.keeper.status.last_exit is None


@scene
async def test_what_was_replaced_has_no_limit_until_the_chain_stops() -> None:
    async with play(drain_seconds=0.01) as it:
        await it.until("ready")
        old = it.child
        old.obeys = False
        old.set_draining()
        assert await it.keeper.replace() is None
        await asyncio.sleep(0.05)  # several drain times
        assert old.told == ["dismiss"]
    assert old.told == ["dismiss", "terminate", "kill"]


@scene
async def test_a_replacement_from_another_specification_that_fails_is_as_if_nobody_had_asked() -> None:
    async with play() as it:
        it.spawner.on_spawn = lambda child: child.set_exited(78)
        await it.until("failed")
        before = it.keeper.spec
        other = StageSpec(name="s", kind="module", host="127.0.0.1", port=it.port, argv=("other",))
        assert await it.keeper.replace(other) == "it did not come up (its settings are unusable (exit code 78))"
        assert it.keeper.spec is before
        await it.until("failed")
        it.spawner.on_spawn = FakeChild.becomes_ready
        assert await it.keeper.replace(other) is None
        assert (it.keeper.spec, it.child.spec) == (other, other)
