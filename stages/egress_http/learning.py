"""Asking again without a setting that the provider has refused by name, and not sending it to that model from then on.

What is learned holds while this process lives, and is named in the log line of every request that it concerns. A lesson counts once
the request was taken without the setting: a provider's sentence may be about something else after all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from ..contract.errors import HopError
from .dialects.base import Output, Prepared
from .dialects.refused import Lesson, applied, lesson_of

# For one request. A provider that refuses more than this is spoken to in the wrong language.
LESSONS = 3

Send = Callable[[Prepared], AsyncIterator[Sequence[Output]]]


class Learning:
    """What the models of one upstream do not take."""

    def __init__(self) -> None:
        self._lessons: dict[str, tuple[Lesson, ...]] = {}

    def taught(self, model: str, prepared: Prepared) -> Prepared:
        """The request as what is known of this model wants it."""
        return _with(prepared, self._lessons.get(model, ()))

    async def ask(
        self, model: str, prepared: Prepared, send: Send, note: Callable[[list[str]], None]
    ) -> AsyncIterator[Sequence[Output]]:
        """What `send` gives. A `HopError` comes before its first list, or not at all. `note` is told of what was left out."""
        learned: list[Lesson] = []
        while True:
            try:
                async for outputs in send(prepared):
                    if learned:
                        self._remember(model, learned)
                    yield outputs
            except HopError as error:
                lesson = lesson_of(error.failure, prepared.payload) if len(learned) < LESSONS else None
                if lesson is None:
                    raise
                learned.append(lesson)
                prepared = _with(prepared, [lesson])
                note(prepared.notes)
            else:
                return

    def _remember(self, model: str, learned: list[Lesson]) -> None:
        self._lessons[model] = (*self._lessons.get(model, ()), *learned)
        learned.clear()


def _with(prepared: Prepared, lessons: Sequence[Lesson]) -> Prepared:
    for lesson in lessons:
        payload = applied([lesson], prepared.payload)
        if payload != prepared.payload:
            prepared = msgspec.structs.replace(prepared, payload=payload, notes=[*prepared.notes, lesson.note])
    return prepared
