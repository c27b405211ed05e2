"""The user's own Codex configuration as a file: changed in one step, through links, with a dated copy of what was there before.

Codex and its app write this file too. So what was read is compared once more right before the new text takes its place, and the
edit is made again where somebody was faster.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from .. import dated_copies
from ..home import Home, patiently
from ..system import Lock
from . import user_home
from .edit import EditError

TRIES = 5
# Beside the file, so that it can take its place in one step.
_DRAFT = ".{}.codex-shim-"
_ABANDONED_SECONDS = 60


class Changed(msgspec.Struct, frozen=True):
    """`backup` is the copy of what was there before, None where nothing had to change or nothing was there."""

    path: Path
    changed: bool
    backup: Path | None


class UserConfig:
    """`path` is what the user calls it; where that is a link, the file behind it is what is read and replaced."""

    def __init__(self, path: Path, home: Home) -> None:
        self.path = path
        self._file = path.resolve()
        self._backups = home.backups
        self._lock = Lock(home.run / "codex-config.lock")

    @classmethod
    def find(cls, environ: Mapping[str, str], home: Home) -> UserConfig:
        """The config.toml of the user's own Codex home. Our generated one is never meant."""
        return cls(user_home.find(environ) / "config.toml", home)

    def text(self) -> str:
        """Empty where there is no file. Raises `EditError` for one that is no text."""
        return self._decode(self._content())

    def change(self, edit: Callable[[str], str]) -> Changed:
        """Raises `EditError`, also where another codex-shim is at it; nothing is written then."""
        if not self._lock.acquire():
            raise EditError("another codex-shim command is changing it just now; try again")
        try:
            for _ in range(TRIES):
                before = self._content()
                after = edit(self._decode(before)).encode()
                if after == (before or b""):
                    return Changed(self.path, False, None)
                backup = self._keep(before)
                if patiently(lambda: self._put(before, after)):  # noqa: B023  # it is called at once
                    return Changed(self.path, True, backup)
            raise EditError("it keeps changing while it is being edited; close Codex and try again")
        finally:
            self._lock.release()

    def _keep(self, before: bytes | None) -> Path | None:
        return dated_copies.keep(self._backups, "config.toml", before) if before is not None else None

    def _put(self, before: bytes | None, after: bytes) -> bool:
        """False where somebody was faster. A file that was made for our settings alone goes with them."""
        if self._content() != before:
            return False
        if not after:
            self._file.unlink()
            return True
        mode = self._file.stat().st_mode & 0o777 if before is not None else 0o600
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clear_drafts()
        draft = self._file.with_name(_DRAFT.format(self._file.name) + secrets.token_hex(4))
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(after)
                file.flush()
                os.fsync(file.fileno())
            draft.chmod(mode)
            draft.replace(self._file)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return True

    def _clear_drafts(self) -> None:
        """Those of a command that was killed. They hold what the file holds."""
        for draft in self._file.parent.glob(_DRAFT.format(self._file.name) + "*"):
            with contextlib.suppress(OSError):
                if time.time() - draft.stat().st_mtime > _ABANDONED_SECONDS:
                    draft.unlink()

    def _content(self) -> bytes | None:
        try:
            return patiently(self._file.read_bytes)
        except FileNotFoundError:
            return None

    def _decode(self, content: bytes | None) -> str:
        try:
            return (content or b"").decode()
        except UnicodeDecodeError as error:
            raise EditError(f"it is not UTF-8 text (byte {error.start})") from None
