"""The user's own files that a stage runs: a script, or the package of a typed stage. A program's files are not known to us."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .settings.stage_table import StageTable


def files_of(stage: StageTable) -> list[Path]:
    """The Python files, sorted; none for a stage of ours, a program, or a module that is found without a `path`."""
    if stage.script is not None:
        return [Path(stage.script)]
    if stage.use is None or stage.path is None:
        return []
    package = Path(stage.path) / stage.use.partition(".")[0]
    return sorted(package.rglob("*.py")) if package.is_dir() else [package.with_suffix(".py")]


def digest(stage: StageTable) -> str:
    """Differs where the files do; empty where there are none. A file that cannot be read is the stage's to complain about."""
    found = hashlib.sha256()
    files = files_of(stage)
    for path in files:
        found.update(str(path).encode())
        try:
            found.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError:
            found.update(b"unreadable")
    return found.hexdigest() if files else ""
