"""Processes that a test holds in its hand: they are ready when it says so, and note what they are told."""

from __future__ import annotations

from collections.abc import Callable

from codex_shim.orchestrator.running.process import Child, OnLine
from codex_shim.orchestrator.spec import StageSpec

DRAINING = b'{"ts":1,"stage":"s","event":"draining"}'
READY = b'{"ts":1,"stage":"s","event":"ready"}'


class FakeChild(Child):
    """A process without a process: it notes what it is told."""

    def __init__(self, pid: int, on_line: OnLine) -> None:
        super().__init__(pid, None, on_line)
        self.told: list[str] = []
        self.spec: StageSpec | None = None
        self.obeys = True

    def dismiss(self) -> None:
        self.told.append("dismiss")
        if self.obeys:
            self.set_exited(0)

    def terminate(self) -> None:
        self.told.append("terminate")
        if self.obeys:
            self.set_exited(0)

    def kill(self) -> None:
        self.told.append("kill")
        self.set_exited(-9)

    def sweep(self) -> None:
        self.told.append("sweep")

    def set_draining(self) -> None:
        """It has said that it takes nothing new."""
        self.take_line(DRAINING)

    def becomes_ready(self) -> None:
        self.take_line(READY)


class FakeSpawner:
    """Hands out `FakeChild`s. `on_spawn` decides what becomes of each; by default it is ready at once."""

    def __init__(self) -> None:
        self.children: list[FakeChild] = []
        self.on_spawn: Callable[[FakeChild], None] = FakeChild.becomes_ready

    async def spawn(self, spec: StageSpec, listening: int | None, on_line: OnLine) -> Child:
        child = FakeChild(100 + len(self.children), on_line)
        child.spec = spec
        self.children.append(child)
        self.on_spawn(child)
        return child

    async def close(self) -> None: ...
