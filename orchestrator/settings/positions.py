"""Where each key and value of a decoded file stood in its text.

A path is what leads to a value in the decoded data: `("stage", 1, "name")`. The scanners fill this in; readers of files ask it.
Rule of this file: offsets only, never the text itself, which may hold credentials.
"""

from __future__ import annotations

from bisect import bisect_right

Path = tuple[str | int, ...]


class Positions:
    def __init__(self, text: str) -> None:
        self._lines = [0] + [offset + 1 for offset, char in enumerate(text) if char == "\n"]
        self._keys: dict[Path, int] = {}
        self._values: dict[Path, int] = {}

    def __contains__(self, path: Path) -> bool:
        return path in self._keys

    def __iter__(self):
        return iter(self._keys)

    def mark(self, path: Path, key: int, value: int) -> None:
        self._keys[path] = key
        self._values[path] = value

    def key(self, path: Path) -> tuple[int, int]:
        """Line and column of the key, of the nearest parent that has one, or `(0, 0)`."""
        return self._find(self._keys, path)

    def value(self, path: Path) -> tuple[int, int]:
        return self._find(self._values, path)

    def _find(self, offsets: dict[Path, int], path: Path) -> tuple[int, int]:
        while path and path not in offsets:
            path = path[:-1]
        return self.line_column(offsets[path]) if path else (0, 0)

    def line_column(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1
