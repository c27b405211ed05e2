"""Who is asked whether it still answers, and what becomes of one that does not."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from codex_shim.orchestrator.running.liveness import HUNG_AFTER, KILLED_AFTER, Liveness
from codex_shim.orchestrator.running.readiness import responds
from codex_shim.orchestrator.running.status import StageStatus
from codex_shim.orchestrator.spec import StageSpec
from waiting import PATIENCE


class Stage:
    """What a keeper shows of one stage."""

    def __init__(self, name: str = "s", state: Any = "ready", **spec: Any) -> None:
        self.spec = StageSpec(name=name, kind=spec.pop("kind", "module"), host="127.0.0.1", port=1, **spec)
        self.status = StageStatus(name=name, kind=self.spec.kind, address="", state=state, pid=100)
        self.ended: list[str] = []

    def suspect(self, hung: bool) -> None:
        self.status.state = "hung" if hung else "ready"

    def end_hung(self, why: str) -> None:
        self.ended.append(why)


class Scene:
    def __init__(self, *stages: Stage) -> None:
        self.stages = list(stages)
        self.asked = 0
        self.answers = True
        self.liveness = Liveness(lambda: self.stages, lambda: 0.01, self.look)

    async def look(self, host: str, port: int, seconds: float) -> bool:
        self.asked += 1
        return self.answers

    def rounds(self, count: int) -> None:
        async def play() -> None:
            for _ in range(count):
                await self.liveness.round(5.0)

        asyncio.run(play())


def test_a_stage_that_answers_is_left_alone() -> None:
    scene = Scene(stage := Stage())
    scene.rounds(10)
    assert (scene.asked, stage.status.state, stage.ended) == (10, "ready", [])


def test_silence_is_shown_first_and_ended_later() -> None:
    scene = Scene(stage := Stage())
    scene.answers = False
    scene.rounds(HUNG_AFTER - 1)
    assert stage.status.state == "ready"
    scene.rounds(1)
    assert (stage.status.state, stage.ended) == ("hung", [])
    scene.rounds(KILLED_AFTER - HUNG_AFTER)
    assert stage.ended == ["it hung: GET /health was not answered for 20 seconds"]


def test_one_that_answers_again_is_ready_and_starts_from_nothing() -> None:
    scene = Scene(stage := Stage())
    scene.answers = False
    scene.rounds(KILLED_AFTER - 1)
    scene.answers = True
    scene.rounds(1)
    assert stage.status.state == "ready"
    scene.answers = False
    scene.rounds(HUNG_AFTER - 1)
    assert (stage.status.state, stage.ended) == ("ready", [])


def test_another_process_is_not_blamed_for_the_one_before() -> None:
    scene = Scene(stage := Stage())
    scene.answers = False
    scene.rounds(HUNG_AFTER - 1)
    stage.status.pid = 101
    scene.rounds(HUNG_AFTER - 1)
    assert stage.status.state == "ready"


def test_a_stage_that_ends_while_it_is_asked_is_not_blamed() -> None:
    scene = Scene(stage := Stage())

    async def look(host: str, port: int, seconds: float) -> bool:
        stage.status.state = "waiting"
        return False

    liveness = Liveness(lambda: scene.stages, lambda: 1.0, look)
    asyncio.run(liveness.round(1.0))
    assert stage.status.state == "waiting"


@pytest.mark.parametrize("state", ["asleep", "leased", "starting", "waiting", "failed", "stopping", "stopped"])
def test_only_what_is_ready_is_asked(state: str) -> None:
    scene = Scene(Stage(state=state))
    scene.rounds(1)
    assert scene.asked == 0


def test_a_program_without_a_health_route_is_not_asked() -> None:
    scene = Scene(Stage(kind="command", ready="tcp"))
    scene.rounds(1)
    assert scene.asked == 0


def test_it_goes_on_until_it_is_cancelled() -> None:
    scene = Scene(stage := Stage())
    scene.answers = False

    async def play() -> None:
        running = asyncio.create_task(scene.liveness.run())
        async with asyncio.timeout(PATIENCE):
            while not stage.ended:
                await asyncio.sleep(0)
        running.cancel()

    asyncio.run(play())


def test_any_answer_is_a_sign_of_life_and_an_open_port_is_none() -> None:
    async def play() -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        assert await responds("127.0.0.1", server.sockets[0].getsockname()[1], PATIENCE)
        server.close()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            assert not await responds("127.0.0.1", port, 0.01)

    asyncio.run(play())
