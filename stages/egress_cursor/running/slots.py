"""The folders that runs live in, one per slot: `<folder>/<n>/{config,data,tmp,ws}`, for their owner alone.

Their paths stay the same, which keeps Cursor's cache of the prompt warm; their content is thrown away before and after each run,
so that nothing of one conversation reaches another. A slot belongs to one worker at a time, by a lock: while a worker is replaced,
the old one's runs go on in their slots and the new one takes others.

This is the one file of the stages that writes files: the settings of cursor-agent, and by which mark a run can be found if we are
killed. Never a word of a request.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from . import tree
from .lock import FileLock

CLI_CONFIG = "cli-config.json"
# Of the user's own settings, what would permit something, or what the program writes back itself.
_NOT_TAKEN = ("permissions", "approvalMode", "sandbox", "model", "hasChangedDefaultModel")
# Reading is left to it: it may look at the workspace, and ask mode lets it do no more. What is denied here is denied in any mode.
DENIED = ("Shell(*)", "Shell(**)", "Write(**)", "WebFetch(*)", "Mcp(*:*)")
_FOLDERS = ("config", "data", "tmp", "ws")
# A worker that is replaced has slots of its own for a while, and so has one that is replaced meanwhile.
_MOST = 1024


class Mark(msgspec.Struct):
    """How the processes of a run are found again: by `run_id`; `pid` and `began` are those of its warden."""

    run_id: str
    pid: int = 0
    began: str = ""


class Slot:
    """One set of folders, and the right to use it. All methods block, for a moment, on the disk."""

    def __init__(self, number: int, folder: Path, lock: FileLock) -> None:
        self.number = number
        self.folder = folder
        self.config = folder / "config"
        self.data = folder / "data"
        self.temporary = folder / "tmp"
        self.workspace = folder / "ws"
        self.run_id = ""
        self._mark = folder / "run.json"
        self._lock = lock

    def prepare(self, settings: bytes) -> None:
        """Empty folders, with `settings` as the program's own. The run gets a mark that nobody had before."""
        self.empty()
        self.run_id = secrets.token_hex(16)
        for name in _FOLDERS:
            (self.folder / name).mkdir(mode=0o700)
        _write(self.config / CLI_CONFIG, settings)
        self.remember(0)

    def remember(self, pid: int) -> None:
        """Who runs here, for a later worker if this one is killed."""
        _write(self._mark, msgspec.json.encode(Mark(run_id=self.run_id, pid=pid, began=tree.began(pid) if pid else "")))

    def empty(self) -> None:
        """Raises `OSError` where something cannot be removed."""
        for name in _FOLDERS:
            _remove(self.folder / name)

    def vacate(self) -> None:
        """The run is over, and nothing of it lives."""
        self.empty()
        self._mark.unlink(missing_ok=True)

    def clear(self) -> list[int]:
        """End what an earlier worker has left here. Returns the processes that would not end."""
        mark = self._read_mark()
        if mark is not None:
            tree.end_group(mark.pid, mark.began)
            if left := tree.sweep([mark.run_id]):
                return left
        self.vacate()
        return []

    def give_up(self) -> None:
        """Let another worker have it."""
        self._lock.release()

    def _read_mark(self) -> Mark | None:
        try:
            return msgspec.json.decode(self._mark.read_bytes(), type=Mark)
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            return None


def claim(folder: Path, count: int, on_left: Callable[[int, list[int]], None] = lambda number, left: None) -> list[Slot]:
    """`count` slots that nobody else has, cleared of what was left in them and in all others that nobody has.

    `on_left` is told of slots that cannot be used because processes in them would not end. Raises `OSError` where the folder cannot
    be used.
    """
    _private(folder)
    existing = {int(path.name) for path in folder.iterdir() if path.name.isdigit()}
    claimed: list[Slot] = []
    for number in range(max(_MOST, *existing, 0) + 1):
        if number not in existing and len(claimed) == count:
            continue
        slot = _take(folder, number)
        if slot is None:
            continue
        left = slot.clear()
        if left:
            on_left(number, left)
        if left or len(claimed) == count:
            slot.give_up()
        else:
            claimed.append(slot)
    return claimed


def settings(environ: Mapping[str, str], home: Path) -> bytes:
    """The user's own `cli-config.json`, for proxies and the like, without what it permits and with what we forbid."""
    kept = {name: value for name, value in _users_own(environ, home).items() if name not in _NOT_TAKEN}
    editor = kept.get("editor") if isinstance(kept.get("editor"), dict) else {"vimMode": False}
    permissions = {"allow": [], "deny": list(DENIED)}
    ours = {"version": kept.get("version", 1), "editor": editor, "permissions": permissions, "approvalMode": "allowlist"}
    return msgspec.json.encode({**kept, **ours})


def _users_own(environ: Mapping[str, str], home: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode((_config_folder(environ, home) / CLI_CONFIG).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return {}


def _config_folder(environ: Mapping[str, str], home: Path) -> Path:
    if named := environ.get("CURSOR_CONFIG_DIR"):
        return Path(named)
    if named := environ.get("XDG_CONFIG_HOME"):
        return Path(named) / "cursor"
    return home / ".cursor"


def _take(folder: Path, number: int) -> Slot | None:
    path = folder / str(number)
    _private(path)
    lock = FileLock(path / "lock")
    return Slot(number, path, lock) if lock.acquire() else None


def _private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) != 0o700:
        folder.chmod(0o700)


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _remove(folder: Path) -> None:
    """Never through a link, and also what was made read-only."""
    if not folder.is_dir() or folder.is_symlink():
        folder.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(folder)
    except OSError:
        _make_writable(folder)
        shutil.rmtree(folder)


def _make_writable(folder: Path) -> None:
    folder.chmod(0o700)
    for root, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(root, name)
            if not path.is_symlink():
                path.chmod(0o700)
