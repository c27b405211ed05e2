"""What a patch that was killed in the middle has left: put right by the next command, before it looks at anything."""

from __future__ import annotations

import msgspec

from . import draft
from .backups import Backups, Kept
from .bundle import App, AppError, explained


def recover(backups: Backups) -> list[tuple[Kept, str]]:
    """Returns what was put right, with a sentence for each. Two commands at a time are kept apart by the caller's lock."""
    try:
        return [(kept, _recovered(backups, kept)) for kept in unfinished(backups)]
    except OSError as error:
        raise AppError(explained(error, backups.folder)) from None


def unfinished(backups: Backups) -> list[Kept]:
    """What `recover` would put right."""
    return [kept for kept in backups.all() if kept.record.state != "patched"]


def _recovered(backups: Backups, kept: Kept) -> str:
    app = App(kept.app)
    if app.exists() and kept.record.patched == app.fingerprint():
        draft.clear(app.path)
        backups.put(kept, msgspec.structs.replace(kept.record, state="patched"))
        return f"{app.path} had been patched by a command that was then ended; its record was completed."
    if kept.original.exists() and not app.path.exists():
        kept.original.rename(app.path)
        sentence = f"{app.path} was put back: an earlier command was ended between its two last steps."
    else:
        sentence = f"What an earlier command had begun to make of {app.path} was removed; the app itself is whole."
    draft.clear(app.path)
    backups.discard(kept)
    return sentence
