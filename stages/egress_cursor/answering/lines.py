"""Bytes, cut anywhere, into lines.

The second line of every run repeats the whole prompt, so lines of many MiB are ordinary. Pieces are kept as they came and joined
once: a line costs as much as it is long.
"""

from __future__ import annotations


class Lines:
    """`too_long` counts the lines beyond `limit` bytes; nothing of them is kept."""

    def __init__(self, limit: int) -> None:
        self.too_long = 0
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that are whole now, without their ends."""
        *ends, rest = chunk.split(b"\n")
        lines = [line for end in ends if (line := self._end(end))]
        self._keep(rest)
        return lines

    def finish(self) -> list[bytes]:
        """What came behind the last line end."""
        line = self._end(b"")
        return [line] if line else []

    def _keep(self, piece: bytes) -> None:
        if not piece:
            return
        self._size += len(piece)
        if self._size > self._limit:
            self._pieces = []
        else:
            self._pieces.append(piece)

    def _end(self, piece: bytes) -> bytes:
        self._keep(piece)
        line = b"".join(self._pieces)
        self.too_long += self._size > self._limit
        self._pieces, self._size = [], 0
        return line
