"""What a file of the user's held before we changed it: a private copy with the date in its name, and not too many of them."""

from __future__ import annotations

import time
from pathlib import Path

from .home import write_private

KEPT_COPIES = 20


def keep(folder: Path, name: str, content: bytes) -> Path:
    """The path of the copy, which begins with `name`. The oldest copies of that name go."""
    path = folder / f"{name}.{time.strftime('%Y-%m-%dT%H-%M-%S')}.{time.time_ns() % 1_000_000_000:09}"
    write_private(path, content)
    for old in sorted(folder.glob(f"{name}.*"))[:-KEPT_COPIES]:
        old.unlink(missing_ok=True)
    return path
