"""The lines that stages print: the latest of each in memory for whoever asks, all of them in files that stay small."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from ..home import private_folder

# Of each stage: one that prints a lot takes nothing of what the others have said.
KEPT_LINES = 200
FILE_BYTES = 2 * 1024 * 1024

Listener = Callable[[str, str], None]


class LogBook:
    """Files are `NAME.log` and, once that is full, `NAME.log.1`; both 0600 below a folder that is 0700."""

    def __init__(self, folder: Path) -> None:
        private_folder(folder)
        self._folder = folder
        self._kept: dict[str, deque[tuple[int, str, str]]] = {}
        self._numbers = itertools.count()
        self._files: dict[str, IO[bytes]] = {}
        self._listeners: set[Listener] = set()

    def add(self, stage: str, line: str) -> None:
        kept = self._kept.get(stage)
        if kept is None:
            kept = self._kept[stage] = deque(maxlen=KEPT_LINES)
        kept.append((next(self._numbers), stage, line))
        self._write(stage, line)
        for listener in list(self._listeners):
            listener(stage, line)

    @property
    def names(self) -> list[str]:
        """Whoever has said something, those that are gone by now included."""
        return list(self._kept)

    def latest(self, stage: str | None, count: int) -> Iterable[tuple[str, str]]:
        """The last `count` lines, of one stage or of all in the order they came."""
        wanted = [kept for name, kept in self._kept.items() if stage in (None, name)]
        return [(name, line) for _, name, line in heapq.merge(*wanted)][-count:] if count else []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Hear of every line from now on. Returns what ends it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _write(self, stage: str, line: str) -> None:
        file = self._files.get(stage) or self._open(stage)
        file.write(line.encode("utf-8", "replace") + b"\n")
        if file.tell() > FILE_BYTES:
            file.close()
            path = self._path(stage)
            path.replace(path.with_suffix(".log.1"))
            del self._files[stage]

    def _open(self, stage: str) -> IO[bytes]:
        path = self._path(stage)
        path.touch(mode=0o600)
        self._files[stage] = file = path.open("ab", buffering=0)
        return file

    def _path(self, stage: str) -> Path:
        return self._folder / f"{stage}.log"
