"""How a process comes up or does not: an address that is taken, a start that takes too long."""

from __future__ import annotations

import asyncio
import socket
from typing import Literal

import pytest
from codex_shim.orchestrator.running import starter
from codex_shim.orchestrator.running.process import Child, OnLine
from codex_shim.orchestrator.running.starter import NotUpError, Starter
from codex_shim.orchestrator.spec import StageSpec


class Silent(Child):
    """A process that never says that it is ready; it goes when it is asked to, or only when it is killed."""

    def __init__(self, on_line: OnLine, *, obeys: bool) -> None:
        super().__init__(100, None, on_line)
        self.told: list[str] = []
        self.obeys = obeys

    def terminate(self) -> None:
        self.told.append("terminate")
        if self.obeys:
            self.set_exited(0)

    def kill(self) -> None:
        self.told.append("kill")
        self.set_exited(-9)


class Spawner:
    def __init__(self, *, obeys: bool = True) -> None:
        self.obeys = obeys
        self.children: list[Silent] = []

    async def spawn(self, spec: StageSpec, listening: int | None, on_line: OnLine) -> Child:
        self.children.append(Silent(on_line, obeys=self.obeys))
        return self.children[-1]

    async def close(self) -> None: ...


def start(spawner: Spawner, port: int, kind: Literal["module", "command"]) -> str:
    """Why it does not come up."""

    async def play() -> None:
        spec = StageSpec(name="s", kind=kind, host="127.0.0.1", port=port, argv=("m",), inherits=kind == "module", drain_seconds=60)
        stage = Starter(spec, spawner, None, lambda spec: None, lambda spec: None)
        try:
            await stage.start(asyncio.Event(), lambda line: None)
        finally:
            stage.close_socket()

    with pytest.raises(NotUpError) as caught:
        asyncio.run(play())
    return str(caught.value)


@pytest.mark.parametrize("kind", ["module", "command"])
def test_an_address_that_somebody_else_has_is_told_before_anything_is_started(kind: Literal["module", "command"]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as thief:
        spawner = Spawner()
        port = thief.getsockname()[1]
        assert start(spawner, port, kind).startswith(f"port {port} is in use")
    assert spawner.children == []


@pytest.mark.parametrize(("obeys", "told"), [(True, ["terminate"]), (False, ["terminate", "kill"])])
def test_what_is_never_ready_is_ended_without_its_drain_time(monkeypatch: pytest.MonkeyPatch, obeys: bool, told: list[str]) -> None:
    monkeypatch.setattr(starter, "START_SECONDS", 0.01)
    monkeypatch.setattr(starter, "KILL_GRACE_SECONDS", 0.01)
    spawner = Spawner(obeys=obeys)
    assert start(spawner, 0, "module") == "it was not ready within 0 seconds"
    assert spawner.children[0].told == told
