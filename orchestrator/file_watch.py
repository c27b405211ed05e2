"""Sees that one of the user's files was changed, and has the chain read them again.

Editors write in several steps, so a change counts once two looks in a row agree. What cannot be used changes nothing, and is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from codex_shim.stages.policy.config import Inject
from codex_shim.stages.policy.config import Options as PolicyOptions

from .contents import files_of
from .control import Message
from .course import Course, CourseError
from .home import Home
from .logins.watch import Mark, stat_mark
from .sources import Options, Sources

LOOK_SECONDS = 0.5


class FileWatch:
    """`report` hears of each change and each problem, as chain.py tells them."""

    def __init__(self, course: Course, options: Options, report: Callable[[Message], None], seconds: float = LOOK_SECONDS) -> None:
        self._course = course
        self._options = options
        self._report = report
        self._seconds = seconds

    async def run(self) -> None:
        """Until it is cancelled."""
        known = self._look()
        while True:
            await asyncio.sleep(self._seconds)
            seen = self._look()
            while seen != known:
                await asyncio.sleep(self._seconds)
                known, seen = seen, self._look()
                if seen == known:
                    await self._reload()
                    known = seen = self._after(seen)

    def _after(self, seen: dict[Path, Mark]) -> dict[Path, Mark]:
        """Files that are looked at only since the reload count as known; what changed meanwhile is still to come."""
        return {path: seen.get(path, mark) for path, mark in self._look().items()}

    async def _reload(self) -> None:
        problems: list[str] = []

        def tell(message: Message) -> None:
            if "change" in message:
                self._report({"event": "changed", "words": message["change"]["words"]})
            else:
                problems.append(message["problem"])

        try:
            await asyncio.shield(self._course.undisturbed(self._course.reload(tell), "reload"))
        except CourseError as error:
            self._report({"event": "unchanged", "problems": error.sentences})
            return
        for problem in problems:
            self._report({"event": "problem", "text": problem})

    def _look(self) -> dict[Path, Mark]:
        return {path: stat_mark(path) for path in watched(self._options, self._course.sources)}


def watched(options: Options, sources: Sources) -> Iterable[Path]:
    """The files that a chain is made from."""
    home = Home(options.home)
    yield from (path for path in (sources.pipeline.path, options.settings, home.providers, home.prices) if path)
    folder = (sources.pipeline.path or Path()).parent
    for stage in sources.pipeline.stages:
        yield from files_of(stage)
        if isinstance(stage.options, PolicyOptions):
            named = [rule.file for rule in stage.options.rules if isinstance(rule, Inject) and rule.file]
            yield from (folder / Path(file).expanduser() for file in named)
