"""The patched copy of an app that could not be written: which one it is, and whether the app has gone on without it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..home import Home
from .backups import Backups, Kept
from .bundle import App, AppError


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """`newer` is the version of the app that was copied, where that is another one by now."""

    app: Path
    version: str
    newer: str | None = None


def find(home: Home) -> Copied | None:
    """The copy that `patch-app` has made, as long as it is what was made. What cannot be read is none."""
    for kept in Backups(home).all():
        if kept.record.way == "copied" and kept.record.state == "patched" and _is_there(kept):
            return Copied(app=kept.app, version=kept.record.version, newer=_newer(kept))
    return None


def _is_there(kept: Kept) -> bool:
    try:
        with App(kept.app).archive() as archive:
            return archive.header_hash == kept.record.header
    except (AppError, OSError):
        return False


def _newer(kept: Kept) -> str | None:
    try:
        version = App(Path(kept.record.source)).info().version
    except AppError:
        return None
    return version if version != kept.record.version else None
