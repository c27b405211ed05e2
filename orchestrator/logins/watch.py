"""Sees logins come and go while a chain runs, at the price of a few `stat()` every other second.

ChatGPT's login is a file, and its token says when it ends. Cursor's is known to a program that is slow to ask: so it is asked when
a file of its login changes, or the program's own, and otherwise every ten minutes, by one question at a time, and nobody waits for
the answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from codex_shim.stages.contract import foreign_file
from codex_shim.stages.contract.body import UNREADABLE

from ..subscriptions import CHATGPT, CURSOR, Subscription, Subscriptions
from . import chatgpt, cursor
from .ask import States, absent
from .state import LoginState

TICK_SECONDS = 2.0
REGULAR_SECONDS = 600.0
RETRY_SECONDS = 5.0
# How often in a row a question may fail before what was known last is given up.
PATIENT_FAILURES = 3
# The question itself may change the files; then it is put again, later each time.
AGAIN_SECONDS = 8.0
# Of cursor-agent's settings.
_MOST_BYTES = 1024 * 1024

Clock = Callable[[], float]
Mark = tuple[object, ...]
Probe = Callable[[threading.Event], LoginState]


class ChatGptLogin:
    """`look` reads the file where it has changed or could not be read, and where its token has come to its end."""

    def __init__(self, path: Path, now: float) -> None:
        self._path = path
        self._mark = stat_mark(path)
        self.state = chatgpt.check(path, now)

    def look(self, now: float) -> None:
        mark = stat_mark(self._path)
        over = self.state.usable and self.state.until is not None and now >= self.state.until
        if over or mark != self._mark or not self.state.certain:
            self._mark = mark
            self.state = chatgpt.check(self._path, now)


class CursorLogin:
    """`look` starts a question in the background where one is due; `answered` is called once it has an answer."""

    def __init__(self, files: Sequence[Path], probe: Probe, clock: Clock, answered: Callable[[], None]) -> None:
        self.state = LoginState(usable=False, reason="cursor-agent is being asked whether it is logged in", certain=False)
        self._files = [_Mark(path) for path in files]
        self._probe = probe
        self._clock = clock
        self._answered = answered
        self._give_up = threading.Event()
        self._asking: asyncio.Task[None] | None = None
        self._seen: list[Mark] = []
        self._due = clock()
        self._failures = 0
        self._again = AGAIN_SECONDS

    def look(self) -> None:
        if self._asking is not None:
            return
        marks = self._marks()
        if marks != self._seen and self._seen:
            self._due = min(self._due, self._clock())
        if self._clock() >= self._due:
            self._seen = marks
            self._asking = asyncio.create_task(self._ask(), name="ask cursor-agent")

    async def stop(self) -> None:
        """A question that is under way is given up, and its program ended."""
        self._give_up.set()
        if self._asking is not None:
            await self._asking

    async def _ask(self) -> None:
        try:
            answer = await asyncio.to_thread(self._probe, self._give_up)
        except Exception as error:
            traceback.print_exc()
            answer = LoginState(usable=False, reason=f"cursor-agent could not be asked ({type(error).__name__})", certain=False)
        self._asking = None
        self._due = self._clock() + self._take(answer)
        marks = self._marks()
        if marks == self._seen:
            self._again = AGAIN_SECONDS
        else:
            self._seen = marks
            self._due = min(self._due, self._clock() + self._again)
            self._again = min(self._again * 2, REGULAR_SECONDS)
        self._answered()

    def _take(self, answer: LoginState) -> float:
        """Seconds until the next question."""
        self._failures = 0 if answer.certain else self._failures + 1
        if answer.certain or not self.state.certain or self._failures >= PATIENT_FAILURES:
            self.state = answer
        if answer.certain:
            return REGULAR_SECONDS
        return min(RETRY_SECONDS * 2 ** max(0, self._failures - PATIENT_FAILURES), REGULAR_SECONDS)

    def _marks(self) -> list[Mark]:
        return [file.look() for file in self._files]


class Watch:
    """Both logins of a running chain. `changed` is awaited whenever one becomes usable or ceases to be; it may raise `OSError`, and
    is then tried again."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        environ: Mapping[str, str],
        changed: Callable[[States], Awaitable[None]],
        *,
        clock: Clock = time.time,
        probe: Probe | None = None,
    ) -> None:
        self._environ = environ
        self._probe = probe
        self._changed = changed
        self._clock = clock
        self._woken = asyncio.Event()
        self._auth_file = ""
        self._binary = ""
        self._chatgpt: ChatGptLogin | None = None
        self._cursor: CursorLogin | None = None
        self._take(subscriptions)
        self._told = self._usable()

    @property
    def states(self) -> States:
        """What is known now, also of a subscription that has no worker."""
        known: dict[Subscription, ChatGptLogin | CursorLogin | None] = {CHATGPT: self._chatgpt, CURSOR: self._cursor}
        return {name: login.state if login else absent(name, self._environ) for name, login in known.items()}

    async def run(self) -> None:
        """Until it is cancelled. A fault of ours in one look is written down, and the next look comes all the same."""
        try:
            while True:
                try:
                    await self.look()
                except Exception:
                    traceback.print_exc()  # into the orchestrator's log
                with suppress(TimeoutError):
                    async with asyncio.timeout(TICK_SECONDS):
                        await self._woken.wait()
                self._woken.clear()
        finally:
            if self._cursor:
                await self._cursor.stop()

    async def follow(self, subscriptions: Subscriptions) -> None:
        """What the chain has a worker for is something else now. A login that it had before is not asked for anew."""
        before = self._cursor
        self._take(subscriptions)
        self._told = self._usable()
        if before is not None and before is not self._cursor:
            await before.stop()

    async def look(self) -> None:
        """One look at the files, and word of what has changed."""
        if self._chatgpt:
            self._chatgpt.look(self._clock())
        if self._cursor:
            self._cursor.look()
        usable = self._usable()
        if usable != self._told:
            with suppress(OSError):
                await self._changed(self.states)
                self._told = usable

    def _take(self, subscriptions: Subscriptions) -> None:
        auth_file = subscriptions.chatgpt.auth_file if subscriptions.chatgpt else ""
        if auth_file != self._auth_file:
            self._auth_file = auth_file
            self._chatgpt = ChatGptLogin(Path(auth_file), self._clock()) if auth_file else None
        binary = subscriptions.cursor.binary if subscriptions.cursor else ""
        if binary != self._binary:
            self._binary = binary
            self._cursor = self._watch_cursor(Path(binary)) if binary else None

    def _watch_cursor(self, binary: Path) -> CursorLogin:
        ask = self._probe or (lambda give_up: cursor.probe(binary, self._environ, give_up=give_up))
        return CursorLogin([binary, *cursor.login_files(self._environ)], ask, self._clock, self._woken.set)

    def _usable(self) -> dict[Subscription, bool]:
        return {name: state.usable for name, state in self.states.items()}


class _Mark:
    """What tells that a file has changed. cursor-agent writes all kinds of things into its `cli-config.json`, at every run; of that
    one only the part counts that says who is logged in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stat: Mark | None = None
        self._content: Mark = ()

    def look(self) -> Mark:
        stat = stat_mark(self._path)
        if self._path.name != "cli-config.json":
            return stat
        if stat != self._stat:
            self._stat = stat
            self._content = _who(self._path)
        return self._content


def stat_mark(path: Path) -> Mark:
    """Differs where the file does; empty where there is none."""
    try:
        facts = path.stat()
    except OSError:
        return ()
    return (facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino)


def _who(path: Path) -> Mark:
    """A digest: it names the user."""
    try:
        found: Any = msgspec.json.decode(foreign_file.read(path, _MOST_BYTES))
    except (OSError, *UNREADABLE):
        return ()
    info = found.get("authInfo") if isinstance(found, dict) else None
    return (hashlib.sha256(msgspec.json.encode(info, order="sorted")).hexdigest(),)
