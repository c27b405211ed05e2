"""Keeps one stage running: restarts it when it dies, replaces it when asked, gives it up when there is no hope.

One coroutine per stage owns everything about it and reads like the life of the stage; how a process comes up and goes is
starter.py's. Between two processes of a stage the listening socket stays open, so connections wait instead of being refused. Only
a stage that is given up closes it: then a refusal is the honest answer.

A lazy stage sleeps: nothing runs, and its first connection, which nobody accepts here, waits at the socket until its process does.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..spec import StageSpec
from ..system import can_hand_on_sockets
from .backoff import Backoff
from .process import Child, Spawner
from .starter import Files, NotUpError, Starter
from .status import CONFIG_ERROR, LAST_LINES, StageStatus, State, describe_exit

_STOPPED = "it has been stopped"


class Request(NamedTuple):
    """`spec` is for `replace`: what the new process is started from, None for what the old one was."""

    verb: str
    answer: asyncio.Future[str | None]
    spec: StageSpec | None = None


class Keeper:
    """`changed` hears of every change of state, `printed` of every line; for `files` and `settled` see `Starter`.

    `listening` is None for programs that bind their own port.
    """

    def __init__(
        self,
        spec: StageSpec,
        spawner: Spawner,
        listening: socket.socket | None,
        *,
        changed: Callable[[StageStatus], None],
        printed: Callable[[str, str], None],
        files: Files = lambda spec: None,
        settled: Files = lambda spec: None,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self.spec = spec
        self.status = StageStatus(name=spec.name, kind=spec.kind, address=f"{spec.host}:{spec.port}")
        self.settled_once = asyncio.Event()  # ready, asleep, failed or stopped for the first time
        self._starter = Starter(spec, spawner, listening, files, settled)
        self._changed = changed
        self._printed = printed
        self._backoff = Backoff(dice)
        self._requests: asyncio.Queue[Request] = asyncio.Queue()
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._child: Child | None = None
        self._ready_at = 0.0
        self._draining: set[asyncio.Task[None]] = set()
        self._owed: asyncio.Future[str | None] | None = None  # to whoever asked for the start that comes next
        self._before: StageSpec | None = None  # what to go back to where that start fails
        self._stopping = asyncio.Event()
        self._over = False

    async def run(self) -> None:
        """Until `stop`. Never raises: what goes wrong with a stage is its status."""
        while not self._stopping.is_set():
            if self.spec.lazy and self._owed is None and not await self._sleep():
                continue
            up = await self._start()
            if not up and self._fall_back():
                continue
            self._tell_of_start()
            if up:
                await self._serve()
            elif not self._stopping.is_set():
                await self._after_death(0.0)
        self._starter.close_socket()
        self._set("stopped")
        self._over = True
        self._tell_of_start()
        while not self._requests.empty():
            request = self._requests.get_nowait()
            _resolve(request.answer, _STOPPED if request.verb == "replace" else None)

    async def stop(self) -> None:
        """Drain the processes, those too that were retired, and return when they have gone."""
        self.hurry()
        await self.leave()

    async def leave(self) -> None:
        """The same, but what streams may finish, however long that takes."""
        self._stopping.set()
        if self.status.state != "stopped":
            await self._ask("stop")
        if self._draining:
            await asyncio.wait(self._draining)

    def hurry(self) -> None:
        """From now on the drain time counts for those processes too that were retired."""
        self._starter.hurry()

    def kill(self) -> None:
        """End the stage's processes now, those that still drain included."""
        self._starter.kill()

    async def replace(self, spec: StageSpec | None = None) -> str | None:
        """A new process in place of the old one, started from `spec`, which has the same address. Returns why not, None where it
        worked; where not, all is as before."""
        return await self._ask("replace", spec)

    @property
    def running(self) -> Mapping[Child, StageSpec]:
        """The processes that have not ended, the retired ones included, each with what it was started from."""
        return self._starter.running

    @property
    def retired(self) -> list[int]:
        """The processes that only finish what they stream."""
        return [child.pid for child in self.running if child is not self._child]

    @property
    def words(self) -> list[str]:
        """The last things that the latest process said to people; records of its log are for programs."""
        return [line for line in self._lines if not line.startswith("{")]

    def suspect(self, hung: bool) -> None:
        """Whether the process that is ready keeps silent, as liveness.py has found."""
        if self.status.state in ("ready", "hung"):
            self.status.lines = list(self._lines) if hung else []
            self._set("hung" if hung else "ready")

    def end_hung(self, why: str) -> None:
        """Kill the process that serves now; `why` is how it ended. An outside proxy is not ours to kill."""
        if self._child is not None:
            self._child.epitaph = why
            self._child.kill()

    async def lease(self) -> str | None:
        """Give the stage's place away until `give_back`."""
        return await self._ask("lease")

    async def give_back(self) -> str | None:
        return await self._ask("give_back")

    # -- the life of a stage ------------------------------------------------------------------------------------------

    async def _sleep(self) -> bool:
        """Until somebody connects; False where something else was asked of the stage, and was done."""
        if not can_hand_on_sockets():
            return True  # then nobody can listen in its place
        woken = asyncio.Event()
        loop = asyncio.get_running_loop()
        try:
            listening = self._starter.open_socket()
            loop.add_reader(listening, woken.set)
        except (OSError, NotImplementedError):
            return True  # the start will say what is wrong with the address, or this loop (Windows) cannot watch one
        self.status.pid = None
        self._set("asleep")
        try:
            request = await self._request_or(asyncio.create_task(woken.wait()))
        finally:
            loop.remove_reader(listening)
        if request is None:
            return True
        if request.verb == "replace":
            self._adopt(request.spec)
            _resolve(request.answer, None)  # whatever starts next is new
        else:
            await self._obey(request)
        return False

    async def _start(self) -> bool:
        """Whether there is a ready process now; if not, the status says why, and `_child` is what it was."""
        self._set("starting")
        self._lines.clear()
        began = time.perf_counter()
        try:
            self._child = await self._starter.start(self._stopping, self._take_line)
        except NotUpError as error:
            self.status.last_exit = str(error)
            if error.detail:
                self._lines.append(error.detail)
            return False
        if self._child is not None:
            self._child.said_draining.add_done_callback(lambda _, child=self._child: self._told_to_go(child))
        self._ready_at = time.monotonic()
        self.status.pid = self._child.pid if self._child else None
        self.status.start_ms = round((time.perf_counter() - began) * 1000, 1)
        self._set("ready")
        return True

    async def _serve(self) -> None:
        """While the stage is ready: until it dies, is stopped or lent. A replacement goes on serving."""
        while True:
            request = await self._request_or(self._child.exited if self._child else None)
            if request is None:
                assert self._child is not None  # what has no process of ours dies unseen
                self.status.last_exit = self._starter.ended(self._child)
                await self._after_death(time.monotonic() - self._ready_at)
                return
            if request.verb == "replace" and self._child is not None and self._starter.holds_socket:
                _resolve(request.answer, await self._replace(self._child, request.spec))
                continue
            self._set("stopping")
            await self._let_go(self._child, for_good=request.verb == "stop")
            await self._obey(request)
            return

    async def _request_or(self, event: asyncio.Future[Any] | None) -> Request | None:
        """What is asked of the stage, None where the event came first. An outside proxy's end, its death, is not ours to see."""
        request = asyncio.create_task(self._requests.get())
        await asyncio.wait({request, event} if event else {request}, return_when=asyncio.FIRST_COMPLETED)
        if isinstance(event, asyncio.Task):
            event.cancel()
        if request.done():
            return request.result()
        request.cancel()
        return None

    async def _replace(self, old: Child, spec: StageSpec | None) -> str | None:
        """New ready before old drains, both on the same socket. If the new one fails, the old one stays; returns why."""
        before, ended = self._adopt(spec), self.status.last_exit
        if not await self._start():
            words, self.status.last_exit = self._last_words(), ended  # that one was never a process of the chain
            self._adopt(before)
            self._set("ready")
            return f"the new process did not come up ({words}); the old one goes on"
        self._retire(old)
        await self._starter.refused(old)
        self.status.restarts += 1
        return None

    def _retire(self, old: Child) -> None:
        task = asyncio.create_task(self._starter.retire(old), name=f"retire {self.spec.name}")
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)

    async def _let_go(self, child: Child | None, *, for_good: bool) -> None:
        """The process ends. Where something else takes its place it may go on with what it streams, as soon as its port is free."""
        self._child = None
        if child is None:
            return
        if for_good:
            await self._starter.retire(child)
            return
        self._retire(child)
        self._starter.close_socket()
        await self._starter.vacated(child)

    def _told_to_go(self, child: Child) -> None:
        """Somebody else has stopped the process. It may take long to finish, and serves nobody new meanwhile."""
        if child is self._child and not self._stopping.is_set() and self.status.state == "ready":
            self._requests.put_nowait(Request("replace", asyncio.get_running_loop().create_future()))

    def _adopt(self, spec: StageSpec | None) -> StageSpec:
        """What is started from now on. Returns what was before."""
        before = self.spec
        if spec is not None:
            self.spec = self._starter.spec = spec
        return before

    def _fall_back(self) -> bool:
        """The new specification does not come up, and no old process is left: what was before is started again."""
        if self._before is None:
            return False
        self._tell_of_start()
        self._adopt(self._before)
        self._before = None
        return True

    async def _after_death(self, ready_for: float) -> None:
        """Wait as long as the backoff says, or until somebody asks for something; give up where it says so."""
        hopeless = self.spec.kind == "url" or self.status.last_exit == describe_exit(CONFIG_ERROR)
        delay = None if hopeless else self._backoff.died(ready_for)
        self.status.lines = list(self._lines)
        self.status.pid = None
        if delay is None:
            self._starter.close_socket()
        self._set("failed" if delay is None else "waiting")
        try:
            async with asyncio.timeout(delay):
                request = await self._requests.get()
        except TimeoutError:
            self.status.restarts += 1
            return
        self._backoff.reset()
        await self._obey(request)

    async def _obey(self, request: Request) -> None:
        """What was asked of a stage that has no process now. A start is answered when it has worked, or has not."""
        if request.verb == "replace":
            self.status.restarts += 1
            self._owed = request.answer
            self._before = self._adopt(request.spec) if request.spec is not None else None
        elif request.verb == "lease":
            await self._lend(request.answer)
        else:
            _resolve(request.answer, None)

    async def _lend(self, answer: asyncio.Future[str | None]) -> None:
        """Somebody else serves this address now, and binds it himself."""
        self._starter.close_socket()
        self.status.pid = None
        self._set("leased")
        _resolve(answer, None)
        while True:
            request = await self._requests.get()
            if request.verb in ("give_back", "stop"):
                _resolve(request.answer, None)
                return
            _resolve(request.answer, f"{self.spec.name} is being run by hand; end that first")

    # -- details ------------------------------------------------------------------------------------------------------

    async def _ask(self, verb: str, spec: StageSpec | None = None) -> str | None:
        if self._over:
            return _STOPPED
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        await self._requests.put(Request(verb, answer, spec))
        return await answer

    def _tell_of_start(self) -> None:
        if self._owed is not None:
            ready = self.status.state == "ready"
            self._before = None if ready else self._before
            _resolve(self._owed, None if ready else f"it did not come up ({self._last_words()})")
            self._owed = None

    def _last_words(self) -> str:
        """How the latest process ended, and the last thing it said."""
        return f"{self.status.last_exit}: {self.words[-1]}" if self.words else f"{self.status.last_exit}"

    def _take_line(self, line: str) -> None:
        self._lines.append(line)
        self._printed(self.spec.name, line)

    def _set(self, state: State) -> None:
        self.status.state = state
        self.status.state_since = time.time()
        if state in ("ready", "asleep", "failed", "stopped"):
            self.settled_once.set()
        self._changed(self.status)


def _resolve(answer: asyncio.Future[Any], value: Any) -> None:
    if not answer.done():
        answer.set_result(value)
