"""The app's Info.plist: who it is, and the hash of its archive that it compares at its start. Pure."""

from __future__ import annotations

import plistlib
from typing import Any

import msgspec

KEY = "ElectronAsarIntegrity"
ARCHIVE = "Resources/app.asar"
ALGORITHM = "SHA256"


class PlistError(Exception):
    """The message is a clause about the file."""


class Info(msgspec.Struct, frozen=True):
    """`integrity` has for each archive its `algorithm` and `hash`; it is empty for an app that compares nothing."""

    identifier: str
    version: str
    integrity: dict[str, dict[str, str]]

    @property
    def header_hash(self) -> str | None:
        return self.integrity[ARCHIVE]["hash"] if ARCHIVE in self.integrity else None


def read(content: bytes) -> Info:
    """Raises `PlistError`."""
    table = _table(content)
    version = table.get("CFBundleShortVersionString") or table.get("CFBundleVersion")
    integrity = table.get(KEY, {})
    try:
        integrity = msgspec.convert(integrity, dict[str, dict[str, str]])
    except msgspec.ValidationError:
        raise PlistError(f"its {KEY} is not what is known here") from None
    if any(set(entry) != {"algorithm", "hash"} or entry["algorithm"] != ALGORITHM for entry in integrity.values()):
        raise PlistError(f"its {KEY} is not what is known here")
    if integrity and ARCHIVE not in integrity:
        raise PlistError(f"its {KEY} does not name {ARCHIVE}")
    return Info(str(table.get("CFBundleIdentifier", "")), str(version or "unknown"), integrity)


def with_hash(content: bytes, header_hash: str) -> bytes:
    """The same file, binary or XML as it was, with another hash of the archive; the very same bytes if it names none."""
    if read(content).header_hash in (None, header_hash):
        return content
    table = _table(content)
    table[KEY][ARCHIVE]["hash"] = header_hash
    form = plistlib.FMT_BINARY if content.startswith(b"bplist00") else plistlib.FMT_XML
    return plistlib.dumps(table, fmt=form, sort_keys=False)


def _table(content: bytes) -> dict[str, Any]:
    try:
        table = plistlib.loads(content)
    except Exception as error:  # of the XML parser, of its own, of struct …: a broken file breaks it in many ways
        raise PlistError(f"it cannot be read ({type(error).__name__})") from None
    if not isinstance(table, dict):
        raise PlistError("it is no table")
    return table
