"""A look at an app that changes nothing: what could be edited in it, and whether that has been done."""

from __future__ import annotations

import msgspec

from . import patches
from .asar import Archive
from .bundle import App, AppError
from .info_plist import Info
from .patches import PatchError, Plan


class Survey(msgspec.Struct, frozen=True):
    """What was found in an app, with the hash of its archive's header."""

    info: Info
    header_hash: str
    plan: Plan


def survey(app: App) -> Survey:
    """Raises `AppError`."""
    info = app.info()
    with app.archive() as archive:
        try:
            found = patches.plan((path, archive.content(path)) for path in _pages(archive))
        except PatchError as error:
            raise AppError(f"{app.path} (version {info.version}) is not known here, and was not changed: {error}") from None
        return Survey(info, archive.header_hash, found)


def _pages(archive: Archive) -> list[str]:
    return [
        path
        for path, entry in archive.entries.items()
        if entry.offset is not None and path.startswith(patches.FOLDER) and path.endswith(".js")
    ]
