"""How a process comes up or does not: an address that is taken, a start that takes too long."""

from __future__ import annotations

import asyncio
import socket
from typing import Literal

import pytest
from codex_shim.orchestrator.running import starter
from codex_shim.orchestrator.running.starter import NotUpError, Starter
from codex_shim.orchestrator.spec import StageSpec
from fake_processes import FakeChild, FakeSpawner


def silent(*, obeys: bool = True) -> FakeSpawner:
    """Its processes never say that they are ready; they go when they are asked to, or only when they are killed."""

    def born(child: FakeChild) -> None:
        child.obeys = obeys

    spawner = FakeSpawner()
    spawner.on_spawn = born
    return spawner


def start(spawner: FakeSpawner, port: int, kind: Literal["module", "command"]) -> str:
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
        spawner = silent()
        port = thief.getsockname()[1]
        assert start(spawner, port, kind).startswith(f"port {port} is in use")
    assert spawner.children == []


@pytest.mark.parametrize(("obeys", "told"), [(True, ["terminate"]), (False, ["terminate", "kill"])])
def test_what_is_never_ready_is_ended_without_its_drain_time(monkeypatch: pytest.MonkeyPatch, obeys: bool, told: list[str]) -> None:
    monkeypatch.setattr(starter, "START_SECONDS", 0.01)
    monkeypatch.setattr(starter, "KILL_GRACE_SECONDS", 0.01)
    spawner = silent(obeys=obeys)
    assert start(spawner, 0, "module") == "it was not ready within 0 seconds"
    assert spawner.children[0].told == told
