"""A file that another program owns: it may be huge, or no file at all but a pipe that nobody writes into.

Whoever reads it may be a loop that many wait for, so nothing of that may hold it up.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read(path: Path, most_bytes: int) -> bytes:
    """Raises `OSError`, also for what is no file or larger than that; its `strerror` says which, for people."""
    with open(path, "rb", opener=_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes} bytes")
    return content


def _at_once(path: str, flags: int) -> int:
    """Without it, opening a pipe waits for its writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
