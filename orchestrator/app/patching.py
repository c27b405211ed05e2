"""`patch-app`, step by step. The app in use is touched by two renames alone, at the end; whatever fails before or between them, or
afterwards, ends with the app as it was."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import msgspec

from ..home import Home, private_folder
from . import draft
from .backups import Backups, Kept, Record
from .bundle import App, AppError, Fingerprint, explained, writable
from .draft import Say
from .recovery import recover
from .survey import Survey, survey
from .tools import Tools


class Patched(msgspec.Struct, frozen=True, kw_only=True):
    """`app` is the one that is patched: that which was asked for, or its copy. `changed` is false where all was done before, and
    `ours` tells whether it was done by this codex-shim, which then can undo it."""

    app: Path
    version: str
    changed: bool
    ours: bool
    copied: bool
    found: Survey


def patch(app: App, home: Home, tools: Tools, user: Path, say: Say = lambda sentence: None) -> Patched:
    """Raises `AppError`. Where the app cannot be written, a copy in the user's own folder of apps is what is patched."""
    backups = Backups(home)
    for _, sentence in recover(backups):
        say(sentence)
    found = survey(app)
    if found.plan.done:
        return _already(app, found, backups)
    _refuse_half_done(app, backups)
    target = app if writable(app) else App(user / "Applications" / app.path.name)
    copied = target.path != app.path
    if copied and target.path.exists():
        return _existing_copy(app, target, found, backups)
    refuse_running(app, tools)
    _Patching(app, target, found, backups, tools, say).run()
    return Patched(app=target.path, version=found.info.version, changed=True, ours=True, copied=copied, found=found)


class _Patching:
    def __init__(self, source: App, target: App, found: Survey, backups: Backups, tools: Tools, say: Say) -> None:
        self._source = source
        self._target = target
        self._copied = target.path != source.path
        self._found = found
        self._backups = backups
        self._tools = tools
        self._say = say
        self._placed = False

    def run(self) -> Kept:
        before = self._source.fingerprint()
        older = self._backups.of(self._target.path)
        kept = self._begin(before)
        try:
            made = draft.make(self._source, self._target.path, self._found, self._tools, self._say)
            kept = self._swap(kept, made, before)
        except BaseException as error:
            self._undo(kept)
            if isinstance(error, OSError):
                raise AppError(explained(error, self._target.path)) from None
            if isinstance(error, AppError):
                raise AppError(f"{error} ({self._source.path} is as it was)") from None
            raise
        draft.clear(self._target.path)
        for each in older:  # of versions that an update has replaced: they belong to no app any more
            if each.folder != kept.folder:
                self._backups.discard(each)
        return kept

    def _begin(self, before: Fingerprint) -> Kept:
        way = "copied" if self._copied else "replaced"
        record = Record(
            app=str(self._target.path),
            source=str(self._source.path),
            way=way,
            version=self._found.info.version,
            original=before,
        )
        try:
            private_folder(self._backups.folder)
            if not self._copied and volume(self._backups.folder) != volume(self._target.path.parent):
                where = self._backups.folder
                raise AppError(
                    f"{where} is on another volume than {self._target.path}; use `--home` to keep the backup on that one"
                )
            self._target.path.parent.mkdir(exist_ok=True)
            return self._backups.begin(record)
        except OSError as error:
            raise AppError(explained(error, self._target.path)) from None

    def _swap(self, kept: Kept, made: App, before: Fingerprint) -> Kept:
        with made.archive() as archive:
            header = archive.header_hash
        record = msgspec.structs.replace(kept.record, patched=made.fingerprint(), header=header, state="swapping")
        if self._source.fingerprint() != before:
            raise AppError("the app was updated in the meantime; try again")
        refuse_running(self._source, self._tools)
        kept = self._backups.put(kept, record)
        if not self._copied:
            self._target.path.rename(kept.original)
        made.path.rename(self._target.path)
        self._placed = True
        return self._backups.put(kept, msgspec.structs.replace(record, state="patched"))

    def _undo(self, kept: Kept) -> None:
        """Back to how it was, from wherever it got."""
        try:
            if self._placed:
                self._target.path.rename(draft.place(self._target.path).path)
            if kept.original.exists():
                kept.original.rename(self._target.path)
        except OSError as error:
            where = f"it is whole in {kept.original}; `codex-shim restore-app` tries again"
            raise AppError(f"{self._target.path} could not be put back ({error.strerror}); {where}") from None
        draft.clear(self._target.path)
        self._backups.forget(kept)


def volume(folder: Path) -> int:
    """Between two folders of the same one, a rename moves a bundle at once and whole."""
    return folder.stat().st_dev


def _already(app: App, found: Survey, backups: Backups) -> Patched:
    ours = [kept for kept in backups.of(app.path) if kept.record.header == found.header_hash]
    copied = bool(ours) and ours[0].record.way == "copied"
    return Patched(app=app.path, version=found.info.version, changed=False, ours=bool(ours), copied=copied, found=found)


def _refuse_half_done(app: App, backups: Backups) -> None:
    """An app that we have patched and that still has open places was patched by a codex-shim that knew less of it."""
    kept = backups.of(app.path)
    if kept and any(each.record.patched == app.fingerprint() for each in kept):
        raise AppError(f"{app.path} was patched by an earlier codex-shim; `codex-shim restore-app`, then `codex-shim patch-app`")


def _existing_copy(app: App, target: App, found: Survey, backups: Backups) -> Patched:
    kept = next(iter(backups.of(target.path)), None)
    if kept is None or not target.exists() or kept.record.patched != target.fingerprint():
        raise AppError(
            f"{app.path} cannot be written, and {target.path}, where a patched copy would go, is something else; move it away, "
            f"or patch that one: `codex-shim patch-app {quote(str(target.path))}`"
        )
    if kept.record.original != app.fingerprint():
        raise AppError(
            f"{target.path} is a patched copy of version {kept.record.version}, and {app.path} is another one by now; "
            "`codex-shim restore-app` removes the copy, then `codex-shim patch-app` makes a new one"
        )
    version = found.info.version
    return Patched(app=target.path, version=version, changed=False, ours=True, copied=True, found=survey(target))


def refuse_running(app: App, tools: Tools) -> None:
    """Also Codex's own server within the app counts: it would go on with files that are gone."""
    pids = tools.processes(app)
    if pids:
        shown = ", ".join(map(str, pids[:3])) + (" …" if len(pids) > 3 else "")
        raise AppError(f"{app.path} is running (pid {shown}); quit it with ⌘Q, then try again; nothing was changed")
