"""The app on the disk: where it is, what it says of itself, and by which hashes it is recognised later."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from . import digest, info_plist
from .asar import Archive, AsarError
from .info_plist import Info, PlistError

IDENTIFIER = "com.openai.codex"
# What the app is called in the Finder; newer versions carry the other name. Its identifier is what tells it apart.
NAMES = ("Codex.app", "ChatGPT.app")


class AppError(Exception):
    """What was asked cannot be done. The message is a sentence that says whether anything was changed and what to do."""


class Fingerprint(msgspec.Struct, frozen=True):
    """SHA-256 of the archive and of Info.plist: what an update of the app cannot leave as they are."""

    archive: str
    info: str


class App:
    """A bundle by its path. Nothing is read by naming it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archive_file = path / "Contents" / "Resources" / "app.asar"
        self.info_file = path / "Contents" / "Info.plist"
        self.framework_file = path / "Contents" / "Frameworks" / "Electron Framework.framework" / "Electron Framework"

    def exists(self) -> bool:
        return self.info_file.is_file()

    def info(self) -> Info:
        """Raises `AppError`."""
        try:
            return info_plist.read(self.info_file.read_bytes())
        except OSError as error:
            raise AppError(f"{self.info_file} cannot be read: {error.strerror}; nothing was changed") from None
        except PlistError as error:
            raise AppError(f"{self.info_file} is not known here: {error}; nothing was changed") from None

    @contextmanager
    def archive(self) -> Iterator[Archive]:
        """Mapped into memory, for as long as the block lasts. Raises `AppError`, also for what goes wrong within the block."""
        try:
            with mapped(self.archive_file) as buffer:
                yield Archive(buffer)
        except AsarError as error:
            raise AppError(f"{self.archive_file} cannot be used: {error}; the app in its place was not changed") from None

    def fingerprint(self) -> Fingerprint:
        """Reads all of the archive: some hundred MiB."""
        return Fingerprint(_sha256(self.archive_file), _sha256(self.info_file))

    def fits(self) -> bool:
        """Whether the app would take its archive at its start: the hash of Info.plist, and the digest of newer versions."""
        info = self.info()
        with self.archive() as archive:
            if info.header_hash not in (None, archive.header_hash):
                return False
        if not info.integrity or not self.framework_file.exists():
            return True
        with mapped(self.framework_file) as program:
            return digest.fits(program, info.integrity)


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise AsarError("it is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
            yield buffer


def folders(user: Path) -> list[Path]:
    """Where apps are installed, in the order in which they are looked for."""
    return [Path("/Applications"), user / "Applications"]


def installed(places: Sequence[Path]) -> list[App]:
    """Every Codex that is there."""
    apps = [App((place / name).resolve()) for place in places for name in NAMES]
    return [app for app in apps if app.exists() and _is_codex(app)]


def find(named: Path | None, places: Sequence[Path]) -> App:
    """The app at a path, or the first one that is installed. Raises `AppError`."""
    if named is None:
        apps = installed(places)
        if not apps:
            where = " nor in ".join(map(str, places))
            raise AppError(f"there is no Codex Desktop in {where}; name its path, or install it from https://openai.com/codex")
        return apps[0]
    app = App(named.expanduser().resolve())
    if not app.exists():
        raise AppError(f"{app.path} is no app of macOS: it has no Contents/Info.plist; nothing was changed")
    if not _is_codex(app):
        raise AppError(f"{app.path} is not Codex but `{app.info().identifier}`; nothing was changed")
    return app


def writable(app: App) -> bool:
    """Whether another bundle can be put into its place. macOS may still say no (App Management), which then is an error."""
    return os.access(app.path, os.W_OK) and os.access(app.path.parent, os.W_OK)


def explained(error: OSError, app: Path) -> str:
    """A sentence for what the system refuses to do in the folder of the app."""
    what = f"{error.filename or app}: {(error.strerror or str(error)).lower()}"
    if error.errno in (errno.EPERM, errno.EACCES):
        allow = "System Settings → Privacy & Security → App Management"
        return f"macOS does not let this program change {app} ({what}); allow your terminal to under {allow}, then try again"
    if error.errno == errno.ENOSPC:
        return f"there is no room for a second copy of {app} ({what}); make some and try again"
    return f"{app} could not be changed ({what}); it is as it was"


def _is_codex(app: App) -> bool:
    identifier = app.info().identifier
    return identifier == IDENTIFIER or identifier.startswith(IDENTIFIER + ".")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
