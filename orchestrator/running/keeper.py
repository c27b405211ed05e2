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
from collections.abc import Callable
from typing import Any

from ..spec import StageSpec
from ..system import can_hand_on_sockets
from .backoff import Backoff
from .process import Child, Spawner
from .starter import Files, NotUpError, Starter
from .status import CONFIG_ERROR, LAST_LINES, StageStatus, State, describe_exit

Request = tuple[str, "asyncio.Future[str | None]"]


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
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`. Never raises: what goes wrong with a stage is its status."""
        while not self._stopping.is_set():
            if self.spec.lazy and self._owed is None and not await self._sleep():
                continue
            up = await self._start()
            self._tell_of_start()
            if up:
                await self._serve()
            elif not self._stopping.is_set():
                await self._after_death(0.0)
        self._starter.close_socket()
        self._set("stopped")
        self._tell_of_start()
        while not self._requests.empty():
            _resolve(self._requests.get_nowait()[1], None)

    async def stop(self) -> None:
        """Drain the process and return when it has gone."""
        self._stopping.set()
        if self.status.state != "stopped":
            await self._ask("stop")
        if self._draining:
            await asyncio.wait(self._draining)

    def kill(self) -> None:
        """End the stage's processes now, those that still drain included."""
        self._starter.kill()

    async def replace(self) -> str | None:
        """A new process in place of the old one. Returns why not, None where it worked."""
        return await self._ask("replace")

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
        verb, answer = request
        if verb == "replace":
            _resolve(answer, None)  # whatever starts next is new
        else:
            await self._obey(verb, answer)
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
                assert self._child is not None
                self.status.last_exit = self._starter.ended(self._child)
                await self._after_death(time.monotonic() - self._ready_at)
                return
            verb, answer = request
            if verb == "replace" and self._child is not None and self._starter.holds_socket:
                _resolve(answer, await self._replace(self._child))
                continue
            self._set("stopping")
            if self._child is not None:
                await self._starter.drain(self._child)
            await self._obey(verb, answer)
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

    async def _replace(self, old: Child) -> str | None:
        """New ready before old drains, both on the same socket. If the new one fails, the old one stays; returns why."""
        if not await self._start():
            self._set("ready")
            return f"the new process did not come up ({self._last_words()}); the old one goes on"
        task = asyncio.create_task(self._starter.drain(old))
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)
        self.status.restarts += 1
        return None

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
                verb, answer = await self._requests.get()
        except TimeoutError:
            self.status.restarts += 1
            return
        self._backoff.reset()
        await self._obey(verb, answer)

    async def _obey(self, verb: str, answer: asyncio.Future[str | None]) -> None:
        """What was asked of a stage that has no process now. A start is answered when it has worked, or has not."""
        if verb == "replace":
            self.status.restarts += 1
            self._owed = answer
        elif verb == "lease":
            await self._lend(answer)
        else:
            _resolve(answer, None)

    async def _lend(self, answer: asyncio.Future[str | None]) -> None:
        """Somebody else serves this address now, and binds it himself."""
        self._starter.close_socket()
        self.status.pid = None
        self._set("leased")
        _resolve(answer, None)
        while True:
            verb, request = await self._requests.get()
            if verb in ("give_back", "stop"):
                _resolve(request, None)
                return
            _resolve(request, f"{self.spec.name} is being run by hand; end that first")

    # -- details ------------------------------------------------------------------------------------------------------

    async def _ask(self, verb: str) -> str | None:
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        await self._requests.put((verb, answer))
        return await answer

    def _tell_of_start(self) -> None:
        if self._owed is not None:
            _resolve(self._owed, None if self.status.state == "ready" else f"it did not come up ({self._last_words()})")
            self._owed = None

    def _last_words(self) -> str:
        """How the latest process ended, and the last thing it said to people: records of its log are for programs."""
        said = [line for line in self._lines if not line.startswith("{")]
        return f"{self.status.last_exit}: {said[-1]}" if said else f"{self.status.last_exit}"

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
