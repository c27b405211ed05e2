"""Keeps one stage running: starts it, waits until it is ready, restarts it when it dies, replaces it when asked.

One coroutine per stage owns everything about it and reads like the life of the process. The listening socket belongs to the
keeper, not to the process, so between two processes of a stage connections wait instead of being refused. Only a stage that is
given up closes its socket: then a refusal is the honest answer.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ..sockets import bind
from ..spec import StageSpec
from .backoff import Backoff
from .process import Child, Spawner
from .readiness import wait_ready
from .status import CONFIG_ERROR, LAST_LINES, StageStatus, State, describe_exit

START_SECONDS = 20.0
OUTSIDE_SECONDS = 5.0
# A stage cuts off what still streams when its drain time is over, and needs a moment to say so to its clients.
DRAIN_GRACE_SECONDS = 1.0
KILL_GRACE_SECONDS = 2.0

Request = tuple[str, "asyncio.Future[str | None]"]


class Keeper:
    """`files` puts a stage's configuration in place before a start, `settled` may take it away after. `changed` hears of every
    change of state, `printed` of every line. `listening` is None for programs that bind their own port."""

    def __init__(
        self,
        spec: StageSpec,
        spawner: Spawner,
        listening: socket.socket | None,
        *,
        changed: Callable[[StageStatus], None],
        printed: Callable[[str, str], None],
        files: Callable[[StageSpec], None] = lambda spec: None,
        settled: Callable[[StageSpec], None] = lambda spec: None,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self.spec = spec
        self.status = StageStatus(name=spec.name, kind=spec.kind, address=f"{spec.host}:{spec.port}")
        self.settled_once = asyncio.Event()  # ready or failed for the first time
        self._spawner = spawner
        self._listening = listening
        self._changed = changed
        self._printed = printed
        self._files = files
        self._settled = settled
        self._backoff = Backoff(dice)
        self._requests: asyncio.Queue[Request] = asyncio.Queue()
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._draining: set[asyncio.Task[None]] = set()
        self._owed: asyncio.Future[str | None] | None = None  # to whoever asked for the start that comes next
        self._stopping = asyncio.Event()
        self._ready_at = 0.0

    async def run(self) -> None:
        """Until `stop`. Never raises: what goes wrong with a stage is its status."""
        while not self._stopping.is_set():
            child = await self._start()
            self._tell_of_start()
            if child is not None or self.spec.kind == "url":
                await self._serve(child)
            elif not self._stopping.is_set():
                await self._after_death(0.0)
        self._close_socket()
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

    async def replace(self) -> str | None:
        """A new process in place of the old one. Returns why not, None where it worked."""
        return await self._ask("replace")

    async def lease(self) -> str | None:
        """Give the stage's place away until `give_back`."""
        return await self._ask("lease")

    async def give_back(self) -> str | None:
        return await self._ask("give_back")

    # -- the life of a process ----------------------------------------------------------------------------------------

    async def _start(self) -> Child | None:
        """A ready process, or None where it died or hung before that."""
        self._set("starting")
        self._lines.clear()
        began = time.perf_counter()
        if self.spec.kind == "url":
            return await self._wait_for_outside()
        try:
            self._files(self.spec)
            self._open_socket()
            child = await self._spawner.spawn(self.spec, self._listening.fileno() if self._listening else None, self._take_line)
        except OSError as error:
            self._settled(self.spec)
            self._lines.append(f"{self.spec.argv[0] if self.spec.argv else self.spec.name}: {error.strerror or error}")
            self.status.last_exit = "it could not be started"
            return None
        self.status.pid = child.pid
        ready = await self._becomes_ready(child)
        self._settled(self.spec)
        if not ready:
            return None
        self._ready_at = time.monotonic()
        self.status.start_ms = round((time.perf_counter() - began) * 1000, 1)
        self._set("ready")
        return child

    async def _becomes_ready(self, child: Child) -> bool:
        ready = asyncio.create_task(wait_ready(self.spec, child))
        stop = asyncio.create_task(self._stopping.wait())
        done, _ = await asyncio.wait({ready, stop, child.exited}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        stop.cancel()
        if child.exited.done():
            self._note_exit(child)
            return False
        if ready not in done:
            self.status.last_exit = f"it was not ready within {START_SECONDS:.0f} seconds"
            await self._drain(child)
            return False
        return True

    async def _serve(self, child: Child | None) -> None:
        """While the stage is ready: until it dies, is stopped or leased. A replacement goes on serving."""
        while True:
            request = asyncio.create_task(self._requests.get())
            waiting = {request} if child is None else {request, child.exited}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not request.done():
                request.cancel()
                assert child is not None
                self._note_exit(child)
                await self._after_death(time.monotonic() - self._ready_at)
                return
            verb, answer = request.result()
            if verb == "replace" and child is not None and self._listening is not None:
                child = await self._replace(child, answer)
                continue
            self._set("stopping")
            if child is not None:
                await self._drain(child)
            await self._obey(verb, answer)
            return

    async def _replace(self, old: Child, answer: asyncio.Future[str | None]) -> Child:
        """New ready before old drains, both on the same socket. If the new one fails, the old one stays."""
        new = await self._start()
        if new is None:
            self.status.pid = old.pid
            self._set("ready")
            _resolve(answer, f"the new process did not come up ({self._last_words()}); the old one goes on")
            return old
        task = asyncio.create_task(self._drain(old))
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)
        self.status.restarts += 1
        _resolve(answer, None)
        return new

    async def _after_death(self, ready_for: float) -> None:
        """Wait as long as the backoff says, or until somebody asks for something; give up where it says so."""
        delay = None if self.status.last_exit == describe_exit(CONFIG_ERROR) else self._backoff.died(ready_for)
        self.status.lines = list(self._lines)
        self.status.pid = None
        if delay is None:
            self._close_socket()
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

    def _tell_of_start(self) -> None:
        if self._owed is not None:
            _resolve(self._owed, None if self.status.state == "ready" else f"it did not come up ({self._last_words()})")
            self._owed = None

    async def _lend(self, answer: asyncio.Future[str | None]) -> None:
        """Somebody else serves this address now, and binds it himself."""
        self._close_socket()
        self._set("leased")
        self.status.pid = None
        _resolve(answer, None)
        while True:
            verb, request = await self._requests.get()
            if verb in ("give_back", "stop"):
                _resolve(request, None)
                return
            _resolve(request, f"{self.spec.name} is being run by hand; end that first")

    async def _drain(self, child: Child) -> None:
        """SIGTERM and time to finish; then the end, for it and its children."""
        child.terminate()
        done, _ = await asyncio.wait({child.exited}, timeout=self.spec.drain_seconds + DRAIN_GRACE_SECONDS)
        if not done:
            child.kill()
            await asyncio.wait({child.exited}, timeout=KILL_GRACE_SECONDS)
        elif self.spec.kind == "command":
            child.sweep()

    async def _wait_for_outside(self) -> None:
        """An outside proxy is somebody else's process: it can only be waited for."""
        ready = asyncio.create_task(wait_ready(self.spec, None))
        stop = asyncio.create_task(self._stopping.wait())
        done, _ = await asyncio.wait({ready, stop}, timeout=OUTSIDE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        stop.cancel()
        if ready in done:
            self._set("ready")
            return
        self.status.last_exit = f"nothing answers at {self.spec.url}"
        self._set("failed")

    # -- details ------------------------------------------------------------------------------------------------------

    async def _ask(self, verb: str) -> str | None:
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        await self._requests.put((verb, answer))
        return await answer

    def _open_socket(self) -> None:
        """Bind again after the socket was given up or lent."""
        if self.spec.inherits and self._listening is None:
            self._listening = bind(self.spec.host, self.spec.port)

    def _close_socket(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def _note_exit(self, child: Child) -> None:
        self.status.last_exit = child.epitaph or describe_exit(child.exited.result())
        if self.spec.kind == "command":
            child.sweep()  # what it left behind may hold the port that its successor needs

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
        if state in ("ready", "failed", "stopped"):
            self.settled_once.set()
        self._changed(self.status)


def _resolve(answer: asyncio.Future[Any], value: Any) -> None:
    if not answer.done():
        answer.set_result(value)
