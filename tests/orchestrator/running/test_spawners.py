"""Both ways to start a process do the same: lines, ends, signals, inherited sockets. Exec serves macOS and Windows."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator.running.process import Child, Spawner
from codex_shim.orchestrator.running.readiness import answers_health
from codex_shim.orchestrator.running.spawn_exec import ExecSpawner
from codex_shim.orchestrator.running.spawn_fork import ForkSpawner
from codex_shim.orchestrator.sockets import bind
from codex_shim.orchestrator.spec import StageSpec
from codex_shim.stages.contract.handshake import Handshake
from systems import needs_posix, needs_proc
from waiting import PATIENCE

BASE = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}

pytestmark = [
    needs_posix,
    pytest.mark.parametrize("kind", ["fork", "exec"]),
]


@asynccontextmanager
async def spawner(kind: str, folder: Path) -> AsyncIterator[Spawner]:
    made: Spawner = ForkSpawner(BASE, folder) if kind == "fork" else ExecSpawner(folder)
    try:
        yield made
    finally:
        await made.close()


def command(program: str, **env: str) -> StageSpec:
    return StageSpec(
        name="x",
        kind="command",
        host="127.0.0.1",
        port=1,
        argv=(sys.executable, "-c", program),
        env={**BASE, **env},
        inherits=False,
    )


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(2 * PATIENCE):
            await test()

    asyncio.run(limited())


def test_lines_of_both_pipes_and_the_exit_code_arrive(kind: str, tmp_path: Path) -> None:
    async def play() -> None:
        async with spawner(kind, tmp_path) as spawn:
            lines: list[str] = []
            program = "import sys; print('out', flush=True); print('err', file=sys.stderr, end=''); sys.exit(7)"
            child = await spawn.spawn(command(program), None, lines.append)
            assert await child.exited == 7
            while len(lines) < 2:
                await asyncio.sleep(0.01)
            assert sorted(lines) == ["err", "out"]

    run(play)


def test_a_child_gets_its_own_environment_folder_and_process_group(kind: str, tmp_path: Path) -> None:
    async def play() -> None:
        async with spawner(kind, tmp_path) as spawn:
            lines: list[str] = []
            program = "import json, os; print(json.dumps([dict(os.environ), os.getcwd(), os.getpgid(0) == os.getpid()]))"
            await (await spawn.spawn(command(program, MINE="1"), None, lines.append)).exited
            while not lines:
                await asyncio.sleep(0.01)
            environ, cwd, own_group = json.loads(lines[0])
            assert environ["MINE"] == "1"
            assert set(environ) <= {*BASE, "MINE", "LC_CTYPE"}
            assert Path(cwd) == tmp_path.resolve()
            assert own_group

    run(play)


def test_a_program_that_is_not_there_is_told(kind: str, tmp_path: Path) -> None:
    async def play() -> None:
        async with spawner(kind, tmp_path) as spawn:
            lines: list[str] = []
            spec = StageSpec(name="x", kind="command", host="127.0.0.1", port=1, argv=("/nowhere/x",), env=BASE)
            try:
                child = await spawn.spawn(spec, None, lines.append)
            except OSError as error:
                assert "No such file" in str(error)
            else:
                assert await child.exited == 127
                while not lines:
                    await asyncio.sleep(0.01)
                assert lines == ["/nowhere/x cannot be started: No such file or directory"]

    run(play)


@needs_proc
def test_terminate_asks_and_kill_ends_the_whole_group(kind: str, tmp_path: Path) -> None:
    async def play() -> None:
        async with spawner(kind, tmp_path) as spawn:
            lines: list[str] = []
            stubborn = (
                "import os, signal, time\n"
                "signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))\n"
                "child = os.fork()\n"
                "os.write(1, f'{child}\\n'.encode())\n"
                "while True: time.sleep(60)\n"
            )
            child = await spawn.spawn(command(stubborn), None, lines.append)
            while len(lines) < 2:
                await asyncio.sleep(0.01)
            grandchild = int(next(line for line in lines if line != "0"))
            child.terminate()
            while "asked" not in lines:
                await asyncio.sleep(0.01)
            child.kill()
            assert await child.exited == -9
            while _alive(grandchild):
                await asyncio.sleep(0.01)

    run(play)


def test_a_stage_of_ours_serves_on_an_inherited_socket_and_ends_with_its_lifeline(kind: str, tmp_path: Path) -> None:
    async def play() -> None:
        async with spawner(kind, tmp_path) as spawn:
            with bind("127.0.0.1", 0) as listening:
                port = listening.getsockname()[1]
                shake = Handshake(stage="demo", host="127.0.0.1", port=port, drain_seconds=1)
                spec = StageSpec(
                    name="demo",
                    kind="module",
                    host="127.0.0.1",
                    port=port,
                    argv=("codex_shim.stages.egress_demo",),
                    env={**BASE, **shake.environ()},
                )
                lines: list[str] = []
                child: Child = await spawn.spawn(spec, listening.fileno(), lines.append)
                await child.said_ready
                assert await answers_health("127.0.0.1", port)
                child._close_lifeline() if kind == "fork" else child.terminate()
                assert await child.exited == 0

    run(play)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False
