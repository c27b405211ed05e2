"""The one text of an answer that is told several times over.

With `--stream-partial-output` each segment of text (up to a tool of Cursor's own, or the end) comes as deltas and then once more as
a whole: a snapshot. The result repeats all segments. Which is which is seen from the shape of the event, never from its words: a
delta that happens to begin like the text before it is still a delta.
"""

from __future__ import annotations


class Segments:
    """Each method returns the text that is new. `drift` counts snapshots that contradict what was given out."""

    def __init__(self) -> None:
        self.drift = 0
        self._current: list[str] = []
        self._before: list[str] = []  # the segments that are closed
        self._late: str | None = None  # a segment that a tool closed: its snapshot may still come

    def delta(self, text: str) -> str:
        self._late = None
        self._current.append(text)
        return text

    def snapshot(self, text: str) -> str:
        """The whole of a segment, which it closes."""
        given, late, self._late = "".join(self._current), self._late, None
        if not given and late is not None and text.startswith(late):
            return self._add(text[len(late) :])
        if text.startswith(given):
            return self._add(text[len(given) :])
        everything = "".join(self._before) + given
        if text.startswith(everything):
            return self._add(text[len(everything) :])
        self.drift += 1
        return self._add("")

    def tool(self) -> None:
        """A tool of Cursor's own has been started."""
        if self._current:
            self._add("")
        self._late = self._before[-1] if self._before else None

    def result(self, text: str) -> str:
        """The whole answer, as the result has it."""
        given = "".join(self._before) + "".join(self._current)
        if text.startswith(given):
            return self._add(text[len(given) :])
        self.drift += bool(text)
        return ""

    def _add(self, rest: str) -> str:
        self._before.append("".join([*self._current, rest]))
        self._current = []
        return rest
