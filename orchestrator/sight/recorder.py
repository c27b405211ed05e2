"""Writes a recording while it is made. It holds prompts and answers, so nobody but its owner may read it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from .crossing import Crossing
from .recording import Recording, first_line, line, read


class Recorder:
    """One file, 0600. Each exchange is on the disk when `write` returns, so that whatever ends us leaves whole ones behind."""

    def __init__(self, path: Path, hops: Sequence[str], made: float, *, replace: bool) -> None:
        """Raises `FileExistsError` where the file is there and may not be replaced."""
        if replace:
            path.unlink(missing_ok=True)  # what others have open, or may read, is no longer this file
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
        self.count = 0
        self.size = 0
        self._write(first_line(hops, made))

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def write(self, crossing: Crossing) -> None:
        self._write(line(crossing))
        self.count += 1

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self.size += len(data)


def load(path: Path) -> Recording:
    """Raises `ConfigError` for what is no recording, and `OSError`."""
    with path.open("rb") as lines:
        return read(lines, str(path))
