"""The user's own Codex home. Codex run with *our* generated one is no reason to look for a login or a model list there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..home import Home


def find(environ: Mapping[str, str]) -> Path:
    """`$CODEX_HOME`, or `~/.codex` where that is unset or ours. The folder may be missing."""
    named = environ.get("CODEX_HOME", "").strip()
    if named:
        folder = _expanded(Path(named)).absolute()
        if not is_ours(folder):
            return folder
    return user_folder(environ) / ".codex"


def is_ours(folder: Path) -> bool:
    """Whether codex-shim has generated this Codex home: it lies in a home of ours, beside the catalog."""
    home = Home(folder.parent)
    return folder.name == home.codex_home.name and (home.catalog.exists() or home.token.exists())


def _expanded(path: Path) -> Path:
    """`~nobody/…` leads nowhere, which is then what is said of it."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def user_folder(environ: Mapping[str, str]) -> Path:
    """The home folder of whom this environment belongs to."""
    named = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(named) if named else Path.home()
