"""The running chain, from files to a clean end: load, plan, bind, supervise, obey, stop.

What happens on the way is told to `report` as small JSON messages, so that a terminal, a detached parent and a program can each
show it in their own way:

    {"event": "stage", …StageStatus}   a stage changed
    {"event": "problem", "text"}       a model row that is left out
    {"event": "ready", "url", …}       Codex may connect
    {"event": "failed", "text", "code"}  the chain did not come up
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from codex_shim.stages.contract.secret import Secret

from . import catalog, codex_cli, egress, generate, plan
from .control_server import ControlServer, Message
from .environment import Surroundings, survey
from .home import Home, private_folder, write_private
from .keeper import bind
from .logbook import LogBook
from .plan import Address, Need
from .process import Spawner
from .settings import models, pipeline
from .settings.pipeline import Pipeline
from .spec import ChainPlan, StageSpec
from .status import StageStatus
from .supervisor import Supervisor
from .system import Lock, can_fork, port_owner

Report = Callable[[Message], None]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line said. Paths are absolute."""

    home: Path
    settings: Path
    pipeline: Path | None = None
    port: int | None = None


class StartError(Exception):
    """The chain cannot come up; the message is for the user."""


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """All that was read before anything is started."""

    pipeline: Pipeline
    workers: list[egress.Worker]
    rows: list[models.ModelRow]
    row_problems: list[str]


def read_files(options: Options, environ: Mapping[str, str]) -> Files:
    """Raises `ConfigError` with every problem that makes starting pointless."""
    chain_file = pipeline.load(pipeline.find(options.pipeline, environ, options.home))
    found = models.load(options.settings, environ)
    workers = egress.derive(found.rows, [stage.name for stage in chain_file.stages])
    plan.check(chain_file, workers, environ)
    return Files(pipeline=chain_file, workers=workers, rows=found.rows, row_problems=[str(each) for each in found.problems])


class Chain:
    """One run. `run` returns the process's exit code."""

    def __init__(self, options: Options, report: Report, environ: Mapping[str, str] = os.environ) -> None:
        self._options = options
        self._report = report
        self._environ = environ
        self._home = Home(options.home)
        self._lock = Lock(self._home.lock)
        self._end = asyncio.Event()
        self._supervisor: Supervisor | None = None
        self._logs: LogBook | None = None
        self._url = ""

    async def run(self) -> int:
        """Raises `ConfigError` or `StartError` before anything is started."""
        files = read_files(self._options, self._environ)
        if not self._lock.acquire():
            raise StartError(f"the chain of {self._home.root} is running already (pid {self._lock.holder()})")
        try:
            return await self._run(files)
        finally:
            self._lock.release()

    async def _run(self, files: Files) -> int:
        private_folder(self._home.root)
        _listen_for_signals(self._end)
        self._logs = LogBook(self._home.logs)
        surroundings = survey(self._environ, self._home.stages)
        spawner = _spawner(surroundings, self._home.root)
        sockets: dict[str, socket.socket] = {}
        try:
            addresses = _bind_all(plan.needs(files.pipeline, files.workers, self._options.port), sockets)
            self._url = _public_url(files.pipeline, addresses)
            chain_plan = await self._plan(files, surroundings, addresses)
            return await self._supervise(chain_plan, files, spawner, sockets)
        finally:
            for each in sockets.values():
                each.close()
            await spawner.close()
            self._logs.close()
            self._forget_run()

    async def _plan(self, files: Files, surroundings: Surroundings, addresses: Mapping[str, Address]) -> ChainPlan:
        prompt, source = await asyncio.to_thread(
            codex_cli.base_prompt, codex_cli.find(self._environ), self._home.prompt_cache, self._environ
        )
        entries = catalog.entries(files.rows, prompt)
        token = self._home.local_token()
        for written in generate.write(self._home, entries, self._url, token):
            self._report({"event": "wrote", "path": written.path, "change": written.change, "prompt": source})
        inputs = plan.Inputs(
            pipeline=files.pipeline,
            workers=files.workers,
            catalog=entries,
            local_token=Secret(token),
            hop_token=Secret(secrets.token_urlsafe(32)),
            surroundings=surroundings,
        )
        return plan.build(inputs, addresses)

    async def _supervise(self, chain_plan: ChainPlan, files: Files, spawner: Spawner, sockets: dict[str, socket.socket]) -> int:
        assert self._logs is not None
        began = time.perf_counter()
        self._supervisor = Supervisor(
            chain_plan,
            spawner,
            sockets,
            changed=self._stage_changed,
            printed=self._logs.add,
            files=self._put,
            settled=self._settled,
        )
        sockets.clear()  # the keepers own them now
        for problem in files.row_problems:
            self._report({"event": "problem", "text": problem})
        control = ControlServer(self._home.control, self._handlers(), {"pid": os.getpid(), "url": self._url})
        await control.start()
        try:
            failed = await self._start_or_end(self._supervisor)
            if failed:
                self._report({"event": "failed", "text": _explain(failed), "code": 1})
                return 1
            if not self._end.is_set():
                seconds = round(time.perf_counter() - began, 2)
                self._report({"event": "ready", "url": self._url, "seconds": seconds, "codex_home": str(self._home.codex_home)})
            await self._end.wait()
            self._report({"event": "stopping"})
            return 0
        finally:
            await self._supervisor.stop()
            control.stop()

    async def _start_or_end(self, supervisor: Supervisor) -> list[StageStatus]:
        """Starting ends early when somebody says stop."""
        starting = asyncio.ensure_future(supervisor.start())
        ending = asyncio.ensure_future(self._end.wait())
        await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if starting.done():
            return starting.result()
        starting.cancel()
        return []

    # -- what the supervisor needs ------------------------------------------------------------------------------------

    def _put(self, spec: StageSpec) -> None:
        if spec.config is not None:
            write_private(self._home.stages / f"{spec.name}.json", spec.config)

    def _settled(self, spec: StageSpec) -> None:
        """A key lies on the disk only as long as its worker needs to read it."""
        if spec.secret:
            (self._home.stages / f"{spec.name}.json").unlink(missing_ok=True)

    def _stage_changed(self, status: StageStatus) -> None:
        self._report({"event": "stage", **msgspec.to_builtins(status)})

    def _forget_run(self) -> None:
        for path in self._home.stages.glob("*.json"):
            path.unlink(missing_ok=True)

    # -- what commands may ask ----------------------------------------------------------------------------------------

    def _handlers(self) -> dict[str, Any]:
        return {"status": self._status, "down": self._down, "restart": self._restart, "logs": self._follow, "lease": self._lease}

    async def _status(self, request: Message) -> AsyncIterator[Message]:
        assert self._supervisor is not None
        statuses = [msgspec.to_builtins(status) for status in self._supervisor.statuses()]
        chain = [spec.name for spec in self._supervisor.plan.chain]
        yield {"ok": True, "url": self._url, "pid": os.getpid(), "chain": chain, "stages": statuses}

    async def _down(self, request: Message) -> AsyncIterator[Message]:
        self._end.set()
        yield {"ok": True}

    async def _restart(self, request: Message) -> AsyncIterator[Message]:
        assert self._supervisor is not None
        wanted = request.get("stage")
        names = [wanted] if wanted else [spec.name for spec in self._supervisor.plan.start_order]
        for name in names:
            keeper = self._supervisor.keepers.get(str(name))
            if keeper is None:
                yield {"ok": False, "error": f"there is no stage named `{name}`"}
                return
            if error := await keeper.replace():
                yield {"ok": False, "error": f"{name}: {error}"}
                return
            yield {"stage": name}
        yield {"ok": True}

    async def _follow(self, request: Message) -> AsyncIterator[Message]:
        assert self._logs is not None
        stage = request.get("stage")
        queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(maxsize=10_000)
        for name, line in self._logs.latest(stage, int(request.get("lines", 200))):
            yield {"stage": name, "line": line}
        if not request.get("follow"):
            yield {"ok": True}
            return

        def hear(name: str, line: str) -> None:
            if stage in (None, name) and not queue.full():
                queue.put_nowait((name, line))

        end = self._logs.listen(hear)
        try:
            while True:
                name, line = await queue.get()
                yield {"stage": name, "line": line}
        finally:
            end()

    async def _lease(self, request: Message) -> AsyncIterator[Message]:
        """Lend a stage's place to whoever asks, for as long as he stays connected."""
        assert self._supervisor is not None
        keeper = self._supervisor.keepers.get(str(request.get("stage")))
        if keeper is None:
            yield {"ok": False, "error": f"there is no stage named `{request.get('stage')}`"}
            return
        if error := await keeper.lease():
            yield {"ok": False, "error": error}
            return
        self._put(keeper.spec)
        spec = keeper.spec
        try:
            yield {"kind": spec.kind, "argv": spec.argv, "env": spec.env, "address": f"{spec.host}:{spec.port}"}
            await asyncio.Event().wait()
        finally:
            self._settled(spec)
            task = asyncio.create_task(keeper.give_back(), name="give back")
            task.add_done_callback(lambda _: None)


def _spawner(surroundings: Surroundings, cwd: Path) -> Spawner:
    if can_fork():
        from .spawn_fork import ForkSpawner

        spawner = ForkSpawner(surroundings.base, cwd)
        spawner.start()  # it imports what stages need while the rest is being planned
        return spawner
    from .spawn_exec import ExecSpawner

    return ExecSpawner(cwd)


def _bind_all(needs: list[Need], sockets: dict[str, socket.socket]) -> dict[str, Address]:
    """Bind every address; `sockets` gets those that are handed on to a process."""
    addresses: dict[str, Address] = {}
    for need in needs:
        try:
            listening = bind(need.host, need.port)
        except OSError as error:
            raise StartError(_in_use(need, error)) from error
        addresses[need.name] = listening.getsockname()[:2]
        if need.bind:
            sockets[need.name] = listening
        else:
            listening.close()
    return addresses


def _in_use(need: Need, error: OSError) -> str:
    owner = port_owner(need.port)
    by = f" by {owner}" if owner else ""
    if error.errno in (98, 48, 10048):  # EADDRINUSE on Linux, macOS, Windows
        return (
            f"port {need.port} for the stage `{need.name}` is in use{by}; "
            "stop that program, or choose another port with --port or `listen` in pipeline.toml"
        )
    return f"the stage `{need.name}` cannot listen on {need.host}:{need.port}: {error.strerror}"


def _public_url(chain_file: Pipeline, addresses: Mapping[str, Address]) -> str:
    host, port = addresses[chain_file.stages[0].name]
    return f"http://{host}:{port}/v1"


def _explain(failed: list[StageStatus]) -> str:
    """Which stage did not come up, why, and what it said last."""
    parts = []
    for status in failed:
        said = "".join(f"\n  │ {line}" for line in status.lines)
        parts.append(f"the stage `{status.name}` did not come up: {status.last_exit}{said}")
    return "\n".join(parts)


def _listen_for_signals(end: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(end.set))
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end.set)
