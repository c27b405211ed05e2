"""What `cursor-agent.cmd` stands for. It hands its arguments through two shells, each of which cuts them anew, so we start what it
would start: the newest of `versions\\<date>\\node.exe index.js`.
"""

from __future__ import annotations

from pathlib import Path

_SCRIPTS = frozenset({".cmd", ".bat", ".ps1"})


def direct(argv: list[str]) -> list[str]:
    """The same command without a script in between, where the newest version can be seen beside it."""
    binary = Path(argv[0])
    if binary.suffix.lower() not in _SCRIPTS:
        return argv
    found = [folder for folder in (binary.parent / "versions").glob("*") if _is_whole(folder)]
    if not found:
        return argv
    newest = max(found, key=lambda folder: folder.name)  # named by date
    return [str(newest / "node.exe"), str(newest / "index.js"), *argv[1:]]


def _is_whole(folder: Path) -> bool:
    return (folder / "node.exe").is_file() and (folder / "index.js").is_file()
