"""What came of a rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..contract.sse import Frame


class AnswerChange(Protocol):
    """What a rule does to the answer: to a stream frame by frame, each as soon as it is known, or to a whole response object."""

    def feed(self, frame: Frame) -> list[Frame]: ...

    def finish(self) -> list[Frame]: ...

    def whole(self, body: bytes) -> bytes: ...

    @property
    def note(self) -> str | None:
        """What was done, once the answer is over: a few words for the log line, with no content of the answer."""
        ...


class Effect(NamedTuple):
    """`note` is a few words for the log line, with no content of the request. `answer` is what remains to be done to the answer."""

    note: str | None
    answer: AnswerChange | None = None


class Together:
    """Several changes of one answer. The rule that came last on the way out comes first on the way back."""

    def __init__(self, changes: Sequence[AnswerChange]) -> None:
        self._changes = list(reversed(changes))

    @property
    def notes(self) -> list[str]:
        return [note for change in reversed(self._changes) if (note := change.note)]

    def feed(self, frame: Frame) -> list[Frame]:
        return _through(self._changes, [frame])

    def finish(self) -> list[Frame]:
        """What each still holds goes through those behind it."""
        frames: list[Frame] = []
        for place, change in enumerate(self._changes):
            frames += _through(self._changes[place + 1 :], change.finish())
        return frames

    def whole(self, body: bytes) -> bytes:
        for change in self._changes:
            body = change.whole(body)
        return body


def _through(changes: Sequence[AnswerChange], frames: list[Frame]) -> list[Frame]:
    for change in changes:
        frames = [changed for frame in frames for changed in change.feed(frame)]
    return frames
