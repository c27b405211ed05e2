"""What is kept of an app that was patched: the whole original bundle with its signature, and a record of what belongs to what.

One folder for each patched app below `~/.codex-shim/backups/app`, named by the version and the hash of the original's archive.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Literal

import msgspec

from ..home import Home, private_folder, write_private
from .bundle import Fingerprint

_RECORD = "manifest.json"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`app` is where the patched app is. `way` tells whether it took the original's place, which then is kept here (`replaced`), or
    is a copy of the one at `source`, which was not touched (`copied`).

    `state` says how far it came: `begun` while a draft is made, `swapping` while that takes its place, then `patched`. `header` is
    the hash of the patched archive's header.
    """

    app: str
    source: str
    way: Literal["replaced", "copied"]
    version: str
    original: Fingerprint
    patched: Fingerprint | None = None
    header: str = ""
    state: Literal["begun", "swapping", "patched"] = "begun"


class Kept(msgspec.Struct, frozen=True):
    """A record with its folder."""

    folder: Path
    record: Record

    @property
    def original(self) -> Path:
        """Without the ending `.app`, so that macOS does not take it for an app to be opened."""
        return self.folder / "original"

    @property
    def app(self) -> Path:
        return Path(self.record.app)


class Backups:
    def __init__(self, home: Home) -> None:
        self.folder = home.backups / "app"

    def all(self) -> list[Kept]:
        """What cannot be read is passed over: it names no app that could be put back."""
        return [kept for path in sorted(self.folder.glob(f"*/{_RECORD}")) if (kept := _read(path))]

    def of(self, app: Path) -> list[Kept]:
        return [kept for kept in self.all() if kept.app == app]

    def begin(self, record: Record) -> Kept:
        where = hashlib.sha256(record.app.encode()).hexdigest()[:4]
        version = re.sub(r"[^\w.-]", "_", record.version)
        kept = Kept(self.folder / f"{version}-{record.original.archive[:12]}-{where}", record)
        self.discard(kept)  # of the same version, which was installed once more: that one belongs to no app any more
        private_folder(kept.folder)
        return self.put(kept, record)

    def put(self, kept: Kept, record: Record) -> Kept:
        write_private(kept.folder / _RECORD, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
        return Kept(kept.folder, record)

    def forget(self, kept: Kept) -> None:
        """The record goes; an original that is still there stays, and its folder with it."""
        (kept.folder / _RECORD).unlink(missing_ok=True)
        if not kept.original.exists():
            shutil.rmtree(kept.folder, ignore_errors=True)

    def discard(self, kept: Kept) -> None:
        """With the original: it belongs to no app any more."""
        shutil.rmtree(kept.folder, ignore_errors=True)


def _read(path: Path) -> Kept | None:
    try:
        return Kept(path.parent, msgspec.json.decode(path.read_bytes(), type=Record))
    except (OSError, msgspec.MsgspecError):
        return None
