"""From one plan to the next, played with processes that a test holds in its hand."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from codex_shim.orchestrator import rewiring
from codex_shim.orchestrator.running.supervisor import Supervisor
from codex_shim.orchestrator.sockets import bind
from codex_shim.orchestrator.spec import ChainPlan, StageSpec
from codex_shim.stages.contract.handshake import NEXT
from fake_processes import FakeChild, FakeSpawner
from waiting import PATIENCE


class Scene:
    """A chain of fake processes. `plan("door", "a")` leads from one to the next; each name keeps its address."""

    def __init__(self) -> None:
        self.spawner = FakeSpawner()
        self.sockets: dict[str, socket.socket] = {}
        self.first = self.plan("door", "a", "end")
        self.supervisor = Supervisor(
            self.first,
            self.spawner,
            dict(self.sockets),
            changed=lambda status: None,
            printed=lambda stage, line: None,
            files=lambda spec: None,
            settled=lambda spec: None,
        )

    def plan(self, *names: str, content: str = "") -> ChainPlan:
        chain: list[StageSpec] = []
        for name in reversed(names):
            if name not in self.sockets:
                self.sockets[name] = bind("127.0.0.1", 0)
            port = self.sockets[name].getsockname()[1]
            env = {NEXT: chain[0].url} if chain else {}
            chain.insert(
                0, StageSpec(name=name, kind="module", host="127.0.0.1", port=port, argv=(name,), env=env, content=content)
            )
        return ChainPlan(chain=chain, egress=[])

    async def rewire(self, plan: ChainPlan) -> str | None:
        return await self.supervisor.rewire(plan, rewiring.compare(self.supervisor.plan, plan), self.sockets)

    def children(self, name: str) -> list[FakeChild]:
        return [child for child in self.spawner.children if child.spec and child.spec.name == name]

    def alive(self, name: str) -> list[int]:
        return [child.pid for child in self.children(name) if not child.exited.done()]

    def stay(self, child: FakeChild) -> None:
        """It has streams that go on when it is told to go."""
        child.obeys = False
        child.becomes_ready()


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    it = Scene()
    assert await it.supervisor.start() == []
    try:
        async with asyncio.timeout(PATIENCE):
            yield it
    finally:
        for child in it.spawner.children:
            child.obeys = True
        it.supervisor.kill()
        await it.supervisor.stop()
        for each in it.sockets.values():
            each.close()


async def settled(condition) -> None:
    while not condition():
        await asyncio.sleep(0)


def test_what_is_new_is_there_before_anybody_is_led_to_it() -> None:
    async def play() -> None:
        async with scene() as it:
            before = len(it.spawner.children)
            assert await it.rewire(it.plan("door", "a", "b", "end")) is None
            assert [child.spec.name for child in it.spawner.children[before:] if child.spec] == ["b", "a"]
            assert [status.name for status in it.supervisor.statuses()] == ["door", "a", "b", "end"]

    asyncio.run(play())


def test_what_was_taken_out_ends_when_the_last_process_that_may_send_to_it_has() -> None:
    async def play() -> None:
        async with scene() as it:
            old_door, old_a = it.children("door")[0], it.children("a")[0]
            old_door.obeys = False
            old_door.set_draining()
            assert await it.rewire(it.plan("door", "end")) is None
            assert list(it.supervisor.keepers) == ["end", "door"]
            assert it.supervisor.retired() == {"door": [old_door.pid], "a": [old_a.pid]}
            assert old_a.told == []
            old_door.set_exited(0)
            await settled(lambda: not it.supervisor.retired())
            assert old_a.told[0] == "dismiss"

    asyncio.run(play())


def test_a_stage_that_comes_back_while_it_is_leaving_is_another_one() -> None:
    async def play() -> None:
        async with scene() as it:
            old_door = it.children("door")[0]
            old_door.obeys = False
            old_door.set_draining()
            assert await it.rewire(it.plan("door", "end")) is None
            old_socket = it.sockets.pop("a")
            assert await it.rewire(it.plan("door", "a", "end")) is None
            assert len(it.alive("a")) == 2
            old_door.set_exited(0)
            await settled(lambda: len(it.alive("a")) == 1)
            assert it.supervisor.keepers["a"].status.state == "ready"
            old_socket.close()

    asyncio.run(play())


def test_where_one_does_not_come_up_all_is_as_it_was() -> None:
    async def play() -> None:
        async with scene() as it:

            def fail(child: FakeChild) -> None:
                if child.spec is None or child.spec.name != "door":
                    child.becomes_ready()
                else:
                    child.take_line(b"it is the door's fault")
                    child.set_exited(78)

            it.spawner.on_spawn = fail
            error = await it.rewire(it.plan("door", "b", "a", "end", content="new"))
            assert error is not None
            assert error.startswith("the stage `door` could not be replaced: the new process did not come up")
            assert "it is the door's fault" in error
            assert it.supervisor.plan is it.first
            assert list(it.supervisor.keepers) == ["end", "a", "door"]
            await settled(lambda: not it.alive("b"))
            assert [child.spec.content for child in it.children("a") if child.spec and not child.exited.done()] == [""]
            assert it.children("door")[0].told == []

    asyncio.run(play())


def test_a_stop_in_the_middle_of_a_change_ends_all_of_it() -> None:
    async def play() -> None:
        it = Scene()
        await it.supervisor.start()
        it.spawner.on_spawn = lambda child: None  # never ready
        changing = asyncio.create_task(it.rewire(it.plan("door", "a", "b", "end")))
        await settled(lambda: it.children("b"))
        await it.supervisor.stop()
        assert await changing is not None
        assert not any(it.alive(name) for name in ("door", "a", "b", "end"))
        with contextlib.ExitStack() as closing:
            for each in it.sockets.values():
                closing.enter_context(each)

    asyncio.run(play())
