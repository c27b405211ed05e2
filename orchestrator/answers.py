"""What commands may ask of the running chain, and what they are answered (control_server.py carries it)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing

import msgspec

from .control import Message
from .control_server import Handler
from .course import Course, CourseError
from .logins.ask import States
from .running.logbook import LogBook
from .running.supervisor import Supervisor
from .settings.problems import did_you_mean
from .stage_files import StageFiles
from .traces.answers import TraceAnswers


class Answers:
    """`end` is set when the chain is to stop, `url` is where Codex connects, `logins` says what is known of both, `violations`
    how often each stage broke the contract."""

    def __init__(
        self,
        supervisor: Supervisor,
        course: Course,
        logs: LogBook,
        files: StageFiles,
        end: asyncio.Event,
        url: str,
        logins: Callable[[], States],
        violations: Mapping[str, int],
    ) -> None:
        self._supervisor = supervisor
        self._course = course
        self._logs = logs
        self._files = files
        self._end = end
        self._url = url
        self._logins = logins
        self._violations = violations
        self._traces = TraceAnswers(logs, lambda: supervisor.plan, supervisor.statuses)

    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {
            "status": self._status,
            "down": self._down,
            "restart": self._restart,
            "reload": self._reload,
            "probe": self._probes,
            "logs": self._follow,
            "lease": self._lease,
            **self._traces.handlers(),
        }

    async def _status(self, request: Message) -> AsyncIterator[Message]:
        statuses = [
            {**msgspec.to_builtins(status), "violations": self._violations.get(status.name, 0)}
            for status in self._supervisor.statuses()
        ]
        chain = [spec.name for spec in self._supervisor.plan.chain]
        logins = {name: msgspec.to_builtins(state) for name, state in self._logins().items()}
        yield {
            "ok": True,
            "url": self._url,
            "pid": os.getpid(),
            "chain": chain,
            "stages": statuses,
            "logins": logins,
            "read_at": self._course.read_at,
            "retired": self._supervisor.retired(),
        }

    async def _down(self, request: Message) -> AsyncIterator[Message]:
        self._end.set()
        yield {"ok": True}

    async def _restart(self, request: Message) -> AsyncIterator[Message]:
        wanted = request.get("stage")
        if refusal := self._unknown(wanted):
            yield refusal
            return
        names = [wanted] if wanted else [spec.name for spec in self._supervisor.plan.start_order]
        async with self._course.one_at_a_time:
            for keeper in [self._supervisor.keepers[name] for name in names if name in self._supervisor.keepers]:
                name = keeper.spec.name
                if error := await keeper.replace():
                    yield {"ok": False, "error": f"{name}: {error}"}
                    return
                yield {"stage": name, "asleep": keeper.status.state == "asleep"}
        yield {"ok": True}

    async def _reload(self, request: Message) -> AsyncIterator[Message]:
        """What happens as it does; the last holds all changes, or why nothing was changed, with the exit code of the command."""
        told: asyncio.Queue[Message | None] = asyncio.Queue()
        work = self._course.undisturbed(self._course.reload(told.put_nowait), "reload")
        work.add_done_callback(lambda _: told.put_nowait(None))
        problems: list[str] = []
        while (message := await told.get()) is not None:
            problems += [message["problem"]] if "problem" in message else []
            yield message
        try:
            yield {"ok": True, "url": self._url, "changes": work.result(), "problems": problems}
        except CourseError as error:
            yield {"ok": False, "error": str(error), "problems": error.sentences, "code": error.code}
        except asyncio.CancelledError:
            yield {"ok": False, "error": "the chain is being stopped", "problems": [], "code": 1}

    async def _probes(self, request: Message) -> AsyncIterator[Message]:
        """Probes in the hops that are wished for, for as long as whoever asks stays connected; told again when they are others."""
        try:
            async with aclosing(self._course.watching([str(each) for each in request.get("hops", [])])) as told:
                async for probes in told:
                    yield {"probes": probes}
        except CourseError as error:
            yield {"ok": False, "error": str(error)}

    async def _follow(self, request: Message) -> AsyncIterator[Message]:
        stage = request.get("stage")
        if stage not in self._logs.names and (refusal := self._unknown(stage)):
            yield refusal
            return
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
        if refusal := self._unknown(str(request.get("stage"))):
            yield refusal
            return
        keeper = self._supervisor.keepers[request["stage"]]
        if error := await keeper.lease():
            yield {"ok": False, "error": error}
            return
        self._files.put(keeper.spec)
        spec = keeper.spec
        try:
            yield {"kind": spec.kind, "argv": spec.argv, "env": spec.env, "address": f"{spec.host}:{spec.port}"}
            await asyncio.Event().wait()
        finally:
            self._files.settled(spec)
            task = asyncio.create_task(keeper.give_back(), name="give back")
            task.add_done_callback(lambda _: None)

    def _unknown(self, stage: str | None) -> Message | None:
        """The refusal for a name that no stage has; None stands for all of them."""
        known = list(self._supervisor.keepers)
        if stage is None or stage in known:
            return None
        hint = did_you_mean(stage, known) or f"; there are {', '.join(known)}"
        return {"ok": False, "error": f"there is no stage named `{stage}`{hint}"}
