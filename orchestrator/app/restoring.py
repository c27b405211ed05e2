"""`restore-app`: the original bundle back into its place, with its own signature; and never an old one over a newer app."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..home import Home
from . import draft
from .backups import Backups, Kept
from .bundle import App, AppError, explained
from .draft import Say
from .patching import refuse_running
from .recovery import recover
from .tools import Tools


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """`app` is what is to be opened from now on. `copied`: a patched copy was removed, its original was there all the time.
    `signed` tells whether macOS accepts the signature of the original."""

    app: Path
    version: str
    copied: bool
    signed: bool


def restore(named: Path | None, home: Home, tools: Tools, say: Say = lambda sentence: None) -> Restored:
    """Raises `AppError`."""
    backups = Backups(home)
    path = named.expanduser().resolve() if named else None
    for kept, sentence in recover(backups):
        say(sentence)
        if not backups.of(kept.app) and path in (None, kept.app):
            return _restored(kept, tools)  # to put that right was to put the original back
    kept = _chosen(backups, path)
    app = App(kept.app)
    _refuse_another(kept, app)
    refuse_running(app, tools)
    if kept.record.way == "copied":
        _remove_copy(app)
        backups.discard(kept)
        return _restored(kept, tools)
    if not kept.original.exists() or App(kept.original).fingerprint() != kept.record.original:
        raise AppError(f"the original in {kept.folder} is not what was put there, so {app.path} was left as it is; install it anew")
    _swap_back(backups, kept, app)
    backups.discard(kept)
    return _restored(kept, tools)


def _swap_back(backups: Backups, kept: Kept, app: App) -> None:
    """Killed between the two renames, it is finished by `recover`."""
    aside = draft.place(app.path).path
    try:
        draft.clear(app.path)
        backups.put(kept, msgspec.structs.replace(kept.record, state="swapping"))
        aside.parent.mkdir()
        app.path.rename(aside)
        kept.original.rename(app.path)
    except BaseException as error:
        if aside.exists() and not app.path.exists():
            aside.rename(app.path)
        draft.clear(app.path)
        backups.put(kept, kept.record)
        if isinstance(error, OSError):
            raise AppError(explained(error, app.path)) from None
        raise
    draft.clear(app.path)


def _remove_copy(app: App) -> None:
    draft.clear(app.path)
    try:
        draft.place(app.path).path.parent.mkdir()
        app.path.rename(draft.place(app.path).path)
    except OSError as error:
        draft.clear(app.path)
        raise AppError(explained(error, app.path)) from None
    draft.clear(app.path)


def _restored(kept: Kept, tools: Tools) -> Restored:
    source = App(Path(kept.record.source))
    copied = kept.record.way == "copied"
    return Restored(app=source.path, version=kept.record.version, copied=copied, signed=_signed(source, tools))


def _chosen(backups: Backups, path: Path | None) -> Kept:
    kept = backups.of(path) if path else backups.all()
    if not kept:
        which = f"{path} was not patched" if path else "no app was patched"
        raise AppError(f"{which} by codex-shim with this home ({backups.folder}), so there is nothing to put back")
    apps = sorted({each.record.app for each in kept})
    if len(apps) > 1:
        raise AppError(f"several apps were patched; name one: {', '.join(apps)}")
    return next((each for each in kept if each.app.exists() and App(each.app).fingerprint() == each.record.patched), kept[-1])


def _refuse_another(kept: Kept, app: App) -> None:
    """D72: what is on the disk has to be what was put there."""
    if not app.exists():
        there = f"the original is kept in {kept.original}" if kept.original.exists() else "its original was not touched"
        raise AppError(f"{app.path} is not there any more, so nothing was put back; {there}")
    if app.fingerprint() == kept.record.patched:
        return
    version = app.info().version
    raise AppError(
        f"{app.path} (version {version}) is not what was patched (version {kept.record.version}): an update has replaced it, and "
        "the patch with it. Nothing was put back over it; `codex-shim patch-app` patches the new one"
    )


def _signed(app: App, tools: Tools) -> bool:
    try:
        tools.verify(app)
    except AppError:
        return False
    return True
