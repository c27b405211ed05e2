"""The course of a running chain: what it was made from, and how it is made anew without a lost stream. One change at a time.

`tell` hears of what happens on the way, as small JSON messages:

    {"change": {"name", "kind", "why", "words"}}      a stage comes, goes, or is replaced
    {"problem": "…"}                                  a model row that is left out
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine
from typing import Any, TypeVar

import msgspec
from codex_shim.stages.contract.secret import Secret

from . import plan, rewiring
from .control import Message
from .logins.watch import Watch
from .offering import Offering
from .publisher import Publisher
from .rewiring import Rewiring
from .running.supervisor import Supervisor
from .settings.problems import ConfigError
from .sight.hops import Hop, HopError, ProbeWish, matching
from .sockets import StartError
from .sources import Sources
from .subscriptions import Subscriptions
from .wiring import Sockets, Wiring, checks

T = TypeVar("T")
Tell = Callable[[Message], None]


class CourseError(Exception):
    """Nothing was changed; the message is for the user. `code` is the exit code of a command."""

    def __init__(self, sentences: list[str], code: int = 1) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences
        self.code = code


class Course:
    """`read` gives the files as they are now (it raises `ConfigError`), `offer` what Codex is shown of them; both block."""

    def __init__(
        self,
        wiring: Wiring,
        supervisor: Supervisor,
        publisher: Publisher,
        watch: Watch,
        sources: Sources,
        read: Callable[[], Sources],
        offer: Callable[[Sources], tuple[Offering, bytes]],
    ) -> None:
        self.sources = sources
        self.read_at = time.time()  # when the files were read, in seconds since the epoch
        self.url = wiring.url(sources)
        self._wiring = wiring
        self._supervisor = supervisor
        self._publisher = publisher
        self._watch = watch
        self._read = read
        self._offer = offer
        self._watched: dict[object, list[str]] = {}  # the hops, as they were written, by who watches them
        self._watch_token = Secret(secrets.token_urlsafe(32))
        self._tasks: set[asyncio.Task[Any]] = set()
        self._gone_over = asyncio.Event()  # set, and replaced by another one, with each change
        self.one_at_a_time = asyncio.Lock()

    async def reload(self, tell: Tell) -> list[Message]:
        """Read the files again and go over to what they say. Returns the changes. Raises `CourseError`."""
        async with self.one_at_a_time:
            began = time.time()
            sources = await self._read_again()
            offering, entries = await asyncio.to_thread(self._offer, sources)
            for problem in sources.row_problems:
                tell({"problem": problem})
            changes = await self._go(sources, offering, tell)
            self.sources, self.read_at = sources, began
            self._wake()
            await self._watch.follow(sources.subscriptions)
            try:
                await self._publisher.renew(offering, self._watch.states, entries)
            except OSError as error:
                raise CourseError(
                    [f"the chain serves what the files say, but {error.filename} cannot be written: {error}"]
                ) from error
            return changes

    async def watching(self, patterns: list[str]) -> AsyncGenerator[list[Message], None]:
        """Probes in the hops that are meant, for as long as whoever asks takes from this: `{"hop", "url", "token"}` of each, and
        of all again when the chain has become another. Raises `CourseError`."""
        who = object()
        try:
            self._meant(patterns)
            self._watched[who] = patterns
            await asyncio.shield(self.undisturbed(self.rewire(), "put probes in"))
            told: list[Message] | None = None
            while True:
                gone_over = self._gone_over
                if (probes := self._probes_in(patterns)) != told:
                    told = probes
                    yield probes
                await gone_over.wait()
        finally:
            self._watched.pop(who, None)
            self.undisturbed(self.rewire(), "take the probes out")

    async def rewire(self) -> None:
        """Go over to the probes that are wished for now. Raises `CourseError`."""
        async with self.one_at_a_time:
            await self._go(self.sources, self._publisher.offering, lambda message: None)
            self._wake()

    def undisturbed(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """A change that is begun is brought to its end, whatever becomes of whoever asked for it."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def end(self) -> None:
        """The chain has stopped, and nothing is changed any more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # told to whoever asked, if he is still there

    async def _go(self, sources: Sources, offering: Offering, tell: Tell) -> list[Message]:
        """To the plan of these sources and of the probes that are wished for now."""
        old, sockets = self._supervisor.plan, Sockets()
        probes = self._probes(sources)
        error: str | None = "it was broken off"
        try:
            new = self._wiring.next(old, sources, offering, probes, sockets)
            told = _told(way := rewiring.compare(old, new))
            for message in told:
                tell({"change": message})
            error = await self._supervisor.rewire(new, way, sockets)
        except StartError as refused:
            raise CourseError([f"{refused}. Nothing was changed."]) from refused
        finally:
            for each in sockets.values() if error else ():
                each.close()
        if error:
            raise CourseError([f"{error}\nNothing was changed; the chain serves as before."])
        self._wiring.settle(sources, probes, new)
        return told

    async def _read_again(self) -> Sources:
        try:
            sources = await asyncio.to_thread(self._read)
        except ConfigError as error:
            raise CourseError([str(problem) for problem in error.problems], ConfigError.EXIT_CODE) from error
        return msgspec.structs.replace(sources, subscriptions=_steady(sources.subscriptions, self.sources.subscriptions))

    # -- probes -------------------------------------------------------------------------------------------------------

    def _probes(self, sources: Sources) -> dict[str, ProbeWish]:
        known = _hops(sources)
        wish = ProbeWish(watch_token=self._watch_token)
        watched: dict[str, ProbeWish] = {}
        for patterns in self._watched.values():
            watched |= {hop.name: wish for hop in _still_there(patterns, known)}
        return checks(sources, watched)

    def _meant(self, patterns: Collection[str]) -> None:
        known = _hops(self.sources)
        try:
            for pattern in patterns:
                matching(pattern, known)
        except HopError as error:
            raise CourseError([str(error)]) from error

    def _probes_in(self, patterns: Collection[str]) -> list[Message]:
        hops = {hop.name: self._supervisor.plan.find(hop.probe) for hop in _still_there(patterns, _hops(self.sources))}
        token = self._watch_token.reveal()
        return [{"hop": name, "url": spec.url, "token": token} for name, spec in hops.items() if spec is not None]

    def _wake(self) -> None:
        self._gone_over.set()
        self._gone_over = asyncio.Event()


def _hops(sources: Sources) -> list[Hop]:
    return plan.hops_of(sources.pipeline, sources.workers, sources.subscriptions)


def _still_there(patterns: Collection[str], known: list[Hop]) -> list[Hop]:
    """A hop that somebody watches may be gone with the next change of the chain."""
    found = []
    for pattern in patterns:
        try:
            found += matching(pattern, known)
        except HopError:
            continue
    return found


def _told(way: Rewiring) -> list[Message]:
    """The order of the chain first, where it differs."""
    order = [{"name": "", "kind": "order", "why": [], "words": way.order}] if way.order else []
    return [*order, *({**msgspec.to_builtins(change), "words": change.words} for change in way.changes)]


def _steady(now: Subscriptions, before: Subscriptions) -> Subscriptions:
    """A running worker of Cursor's looks like one that was cut off: that question is for the first start."""
    if now.cursor is None or before.cursor is None:
        return now
    return msgspec.structs.replace(now, cursor=msgspec.structs.replace(now.cursor, cut_off=before.cursor.cut_off))
