"""Cuts a stream into whole frames without changing a byte of it. Pure."""

from __future__ import annotations

import re

# Two ends of a line in a row, of any of the three kinds there are.
_END = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LONGEST_END = 4


class Frames:
    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that end in this chunk, each with the blank line behind it."""
        looked_at = max(0, len(self._held) - _LONGEST_END + 1)
        self._held += chunk
        frames, start = [], 0
        while end := _END.search(self._held, max(looked_at, start)):
            frames.append(bytes(self._held[start : end.end()]))
            start = end.end()
        del self._held[:start]
        return frames

    def rest(self) -> bytes:
        """What is left behind the last blank line."""
        return bytes(self._held)
