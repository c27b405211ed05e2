"""The running chain, from files to a clean end: load, bind, plan, supervise, obey, stop.

What happens on the way is told to `report` as small JSON messages, so that a terminal, a detached parent and a program can each
show it in their own way:

    {"event": "stage", …StageStatus}           a stage changed
    {"event": "wrote", "path", "change"}       a file for Codex
    {"event": "problem", "text"}               a model row that is left out
    {"event": "login", "subscription", …}      a login can be used, or no longer: LoginState
    {"event": "ready", "url", "seconds", …}    Codex may connect
    {"event": "stopping"}                      no new requests; streams may finish
    {"event": "failed", "text", "code"}        the chain did not come up
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from codex_shim.stages.contract.secret import Secret

from . import plan
from .answers import Answers
from .codex import cli as codex_cli
from .control import Message
from .control_server import ControlServer
from .desk.answers import COMMANDS, DeskAnswers
from .environment import Surroundings, survey
from .home import Home, private_folder
from .logins.watch import Watch
from .offering import Offering, prepare
from .plan import Address
from .publisher import Publisher
from .running.logbook import LogBook
from .running.process import Spawner
from .running.status import StageStatus
from .running.supervisor import Supervisor
from .sockets import StartError, bind_all
from .sources import Options, Sources, read_files
from .spec import ChainPlan
from .stage_files import StageFiles
from .system import Lock, can_fork, on_stop_signal

Report = Callable[[Message], None]


class Chain:
    """One run. `run` returns the process's exit code."""

    def __init__(self, options: Options, report: Report, environ: Mapping[str, str] = os.environ) -> None:
        self._options = options
        self._report = report
        self._environ = environ
        self._home = Home(options.home)
        self._stage_files = StageFiles(self._home.stages)
        self._end = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self._supervisor: Supervisor | None = None

    async def run(self) -> int:
        """Raises `ConfigError` or `StartError` before anything is started."""
        sources = read_files(self._options, self._environ)
        lock = Lock(self._home.lock)
        if not lock.acquire():
            pid = lock.holder()
            raise StartError(f"the chain of {self._home.root} is running already" + (f" (pid {pid})" if pid else ""))
        try:
            return await self._run(sources)
        finally:
            lock.release()

    async def _run(self, sources: Sources) -> int:
        self._stage_files.clear()  # a run that was killed may have left some
        on_stop_signal(self._stop)
        sockets: dict[str, socket.socket] = {}
        surroundings = survey(self._environ, self._home.stages)
        private_folder(self._home.root)
        spawner = _spawner(surroundings, self._home.root)
        try:
            needs = plan.needs(sources.pipeline, sources.workers, self._options.port, sources.subscriptions)
            addresses = bind_all(needs, sockets)
            url = _public_url(sources, addresses)
            offering, entries = await asyncio.to_thread(self._offer, sources)
            chain_plan = self._plan(sources, surroundings, addresses, offering)
            publisher = Publisher(self._home, offering, url, self._report)
            watch = Watch(sources.subscriptions, self._environ, publisher.changed)
            self._writing = asyncio.create_task(publisher.start(watch.states, entries))
            del entries  # they are long
            for problem in sources.row_problems:
                self._report({"event": "problem", "text": problem})
            return await self._supervise(chain_plan, spawner, sockets, url, watch, sources, publisher)
        finally:
            for each in sockets.values():
                each.close()
            await spawner.close()
            self._stage_files.clear()

    def _offer(self, sources: Sources) -> tuple[Offering, bytes]:
        """What Codex is to be shown. Asks the Codex CLI, where that is another one than the last time."""
        cli = codex_cli.find(self._environ)
        prompt = codex_cli.base_prompt(cli, self._home.prompt_cache, self._environ)
        return prepare(sources, prompt, self._environ)

    def _plan(
        self, sources: Sources, surroundings: Surroundings, addresses: Mapping[str, Address], offering: Offering
    ) -> ChainPlan:
        inputs = plan.Inputs(
            pipeline=sources.pipeline,
            workers=sources.workers,
            catalog=offering.entries,
            advertised=str(self._home.advertised),
            local_token=Secret(self._home.local_token()),
            hop_token=Secret(secrets.token_urlsafe(32)),
            surroundings=surroundings,
            subscriptions=sources.subscriptions,
            offered=offering.offered,
            subscription_catalog=str(self._home.subscription_catalog),
            desk_control=str(self._home.desk_control),
            seal_key=Secret(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()),
        )
        return plan.build(inputs, addresses)

    async def _supervise(
        self,
        chain_plan: ChainPlan,
        spawner: Spawner,
        sockets: dict[str, socket.socket],
        url: str,
        watch: Watch,
        sources: Sources,
        publisher: Publisher,
    ) -> int:
        logs = LogBook(self._home.logs)
        self._supervisor = supervisor = Supervisor(
            chain_plan,
            spawner,
            sockets,
            changed=self._stage_changed,
            printed=logs.add,
            files=self._stage_files.put,
            settled=self._stage_files.settled,
        )
        sockets.clear()  # the keepers own them now
        answers = Answers(supervisor, logs, self._stage_files, self._end, url, lambda: watch.states)
        desk = DeskAnswers(self._home, self._environ, url, supervisor, publisher, sources, lambda: watch.states)
        control = ControlServer(
            self._home.control,
            answers.handlers() | desk.handlers(),
            {"pid": os.getpid(), "url": url},
            {self._home.desk_control: COMMANDS},
        )
        await control.start()
        watching = asyncio.create_task(watch.run(), name="watch the logins")
        try:
            return await self._serve(supervisor, url)
        finally:
            watching.cancel()
            await asyncio.wait({watching})
            await supervisor.stop()
            control.stop()
            logs.close()

    async def _serve(self, supervisor: Supervisor, url: str) -> int:
        began = time.perf_counter()
        failed = await self._start(supervisor)
        if self._writing is not None:
            await self._writing
        if failed:
            self._report({"event": "failed", "text": _explain(failed), "code": 1})
            return 1
        if not self._end.is_set():
            seconds = round(time.perf_counter() - began, 2)
            found = codex_cli.find(self._environ) is not None
            self._report(
                {"event": "ready", "url": url, "seconds": seconds, "codex_home": str(self._home.codex_home), "codex": found}
            )
        await self._end.wait()
        self._report({"event": "stopping"})
        return 0

    def _stop(self) -> None:
        """Asked once, the chain drains; asked again, it ends at once."""
        if self._end.is_set() and self._supervisor is not None:
            self._supervisor.kill()
        self._end.set()

    async def _start(self, supervisor: Supervisor) -> list[StageStatus]:
        """The stages that failed. Ends early when somebody says stop."""
        starting = asyncio.create_task(supervisor.start())
        ending = asyncio.create_task(self._end.wait())
        await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if starting.done():
            return starting.result()
        starting.cancel()
        return []

    def _stage_changed(self, status: StageStatus) -> None:
        self._report({"event": "stage", **msgspec.to_builtins(status)})


def _spawner(surroundings: Surroundings, cwd: Path) -> Spawner:
    if can_fork():
        from .running.spawn_fork import ForkSpawner

        spawner = ForkSpawner(surroundings.base, cwd)
        spawner.start()  # it imports what stages need while the rest is being planned
        return spawner
    from .running.spawn_exec import ExecSpawner

    return ExecSpawner(cwd)


def _public_url(sources: Sources, addresses: Mapping[str, Address]) -> str:
    host, port = addresses[sources.pipeline.stages[0].name]
    return f"http://{host}:{port}/v1"


def _explain(failed: list[StageStatus]) -> str:
    """Which stage did not come up, why, and what it said last."""
    parts = []
    for status in failed:
        said = "".join(f"\n  │ {line}" for line in status.lines)
        parts.append(f"the stage `{status.name}` did not come up: {status.last_exit}{said}")
    return "\n".join(parts)
