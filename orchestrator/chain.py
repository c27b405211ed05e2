"""The running chain, from files to a clean end: load, bind, plan, supervise, obey, stop.

What happens on the way is told to `report` as small JSON messages, so that a terminal, a detached parent and a program can each
show it in their own way:

    {"event": "stage", …StageStatus}           a stage changed
    {"event": "wrote", "path", "change"}       a file for Codex
    {"event": "problem", "text"}               a model row that is left out, or usage that cannot be kept
    {"event": "login", "subscription", …}      a login can be used, or no longer: LoginState
    {"event": "ready", "url", "seconds", …}    Codex may connect
    {"event": "changed", "words"}              the files were changed, and with them a stage (of a chain that watches them)
    {"event": "unchanged", "problems"}         they were changed, and cannot be used
    {"event": "slow", "stages", "seconds"}     these are still starting, so many seconds after the beginning
    {"event": "stopping"}                      no new requests; streams may finish
    {"event": "failed", "text", "code"}        the chain did not come up
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from .answers import Answers
from .codex import cli as codex_cli
from .control import Message
from .control_server import ControlServer
from .course import Course
from .desk.answers import COMMANDS, DeskAnswers
from .environment import Surroundings, survey
from .file_watch import FileWatch
from .home import Home, private_folder
from .logins.watch import Watch
from .offering import Offering, prepare
from .publisher import Publisher
from .running.liveness import Liveness
from .running.logbook import LogBook
from .running.process import Spawner
from .running.status import StageStatus
from .running.supervisor import Supervisor, explain
from .sight.findings import Findings
from .sockets import StartError
from .sources import Options, Sources, read_files
from .spec import ChainPlan
from .stage_files import StageFiles
from .system import Lock, can_fork, on_stop_signal
from .usage.answers import UsageAnswers
from .usage.keeper import Keeper
from .usage.store import Store
from .wiring import Sockets, Wiring

Report = Callable[[Message], None]

_SLOW_SECONDS = 2.0  # a start that takes longer says what it waits for


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
        sources = self._read()
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
        sockets = Sockets()
        surroundings = survey(self._environ, self._home.stages)
        private_folder(self._home.root)
        spawner = _spawner(surroundings, self._home.root)
        try:
            wiring = Wiring(self._options, self._home, surroundings)
            wiring.bind(sources, sockets)
            offering, entries = await asyncio.to_thread(self._offer, sources)
            publisher = Publisher(self._home, offering, wiring.url(sources), self._report)
            watch = Watch(sources.subscriptions, self._environ, publisher.changed)
            self._writing = asyncio.create_task(publisher.start(watch.states, entries))
            del entries  # they are long
            for problem in sources.row_problems:
                self._report({"event": "problem", "text": problem})
            logs = LogBook(self._home.logs)
            findings = Findings(logs.add)
            supervisor = self._supervise(wiring.first(sources, offering), spawner, sockets, findings)
            course = Course(wiring, supervisor, publisher, watch, sources, self._read, self._offer)
            return await self._run_with(supervisor, course, publisher, watch, logs, findings)
        finally:
            for each in sockets.values():
                each.close()
            await spawner.close()
            self._stage_files.clear()

    def _read(self) -> Sources:
        """The files as they are now. Raises `ConfigError`."""
        return read_files(self._options, self._environ)

    def _offer(self, sources: Sources) -> tuple[Offering, bytes]:
        """What Codex is to be shown. Asks the Codex CLI, where that is another one than the last time."""
        cli = codex_cli.find(self._environ)
        prompt = codex_cli.base_prompt(cli, self._home.prompt_cache, self._environ)
        return prepare(sources, prompt, self._environ)

    def _supervise(self, plan: ChainPlan, spawner: Spawner, sockets: Sockets, findings: Findings) -> Supervisor:
        self._supervisor = Supervisor(
            plan,
            spawner,
            sockets,
            changed=self._stage_changed,
            printed=findings.take,
            files=self._stage_files.put,
            settled=self._stage_files.settled,
        )
        sockets.clear()  # the keepers own them now
        return self._supervisor

    async def _run_with(
        self, supervisor: Supervisor, course: Course, publisher: Publisher, watch: Watch, logs: LogBook, findings: Findings
    ) -> int:
        url = course.url
        answers = Answers(supervisor, course, logs, self._stage_files, self._end, url, lambda: watch.states, findings.counts)
        desk = DeskAnswers(self._home, self._environ, url, supervisor, publisher, lambda: course.sources, lambda: watch.states)
        usage = self._keep_usage(course, logs)
        control = ControlServer(
            self._home.control,
            answers.handlers() | desk.handlers() | UsageAnswers(usage, time.time).handlers(),
            {"pid": os.getpid(), "url": url},
            {self._home.desk_control: COMMANDS, self._home.otel_control: ("traces",)},
        )
        await control.start()
        watching = [asyncio.create_task(watch.run(), name="watch the logins")]
        watching.append(asyncio.create_task(_liveness(supervisor, course).run(), name="ask the stages for their health"))
        if usage is not None:
            watching.append(asyncio.create_task(usage.run(), name="count what is used"))
        if self._options.watch:
            files = FileWatch(course, self._options, lambda message: self._tell_of_files(message, logs))
            watching.append(asyncio.create_task(files.run(), name="watch the files"))
        try:
            return await self._serve(supervisor, course)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.wait(watching)
            await supervisor.stop()
            await course.end()
            control.stop()
            if usage is not None:
                await usage.close()
            findings.close()
            logs.close()

    def _keep_usage(self, course: Course, logs: LogBook) -> Keeper | None:
        days = course.sources.pipeline.settings.usage_days
        if days == 0:
            return None
        store = Store(self._home.usage, days)

        def tell(sentence: str) -> None:
            self._report({"event": "problem", "text": sentence})
            logs.add("orchestrator", sentence)

        return Keeper(store, logs, lambda: course.sources.prices, self._home.spent, tell, time.time)

    async def _serve(self, supervisor: Supervisor, course: Course) -> int:
        began = time.perf_counter()
        async with course.one_at_a_time:
            failed = await self._start(supervisor)
        if self._writing is not None:
            await self._writing
        if failed:
            self._report({"event": "failed", "text": explain(failed), "code": 1})
            return 1
        if not self._end.is_set():
            seconds = round(time.perf_counter() - began, 2)
            found = codex_cli.find(self._environ) is not None
            self._report(
                {"event": "ready", "url": course.url, "seconds": seconds, "codex_home": str(self._home.codex_home), "codex": found}
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
        began = time.perf_counter()
        while not (await asyncio.wait({starting, ending}, timeout=_SLOW_SECONDS, return_when=asyncio.FIRST_COMPLETED))[0]:
            late = [status.name for status in supervisor.statuses() if status.state == "starting"]
            self._report({"event": "slow", "stages": late, "seconds": round(time.perf_counter() - began)})
        ending.cancel()
        if starting.done():
            return starting.result()
        starting.cancel()
        return []

    def _tell_of_files(self, message: Message, logs: LogBook) -> None:
        """Also into the log: nobody may be there any more to hear it."""
        self._report(message)
        for line in message.get("problems", [message.get("words", message.get("text"))]):
            logs.add("orchestrator", line)

    def _stage_changed(self, status: StageStatus) -> None:
        self._report({"event": "stage", **msgspec.to_builtins(status)})


def _liveness(supervisor: Supervisor, course: Course) -> Liveness:
    return Liveness(lambda: list(supervisor.keepers.values()), lambda: course.sources.pipeline.settings.health_seconds)


def _spawner(surroundings: Surroundings, cwd: Path) -> Spawner:
    if can_fork():
        from .running.spawn_fork import ForkSpawner

        spawner = ForkSpawner(surroundings.base, cwd)
        spawner.start()  # it imports what stages need while the rest is being planned
        return spawner
    from .running.spawn_exec import ExecSpawner

    return ExecSpawner(cwd)
