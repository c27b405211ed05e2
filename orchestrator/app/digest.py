"""Electron's second lock: a digest of the integrity table of Info.plist, kept inside the framework's own program. Pure.

Newer versions of Electron have a place for it, and an app may use it or not. It is found by a sentinel: 32 characters, then a byte
that says whether it is used, a byte with its version, and in version 1 a SHA-256. A universal program has one for each processor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Protocol

SENTINEL = b"AGbevlPCksUGKNL8TSn7wGmJEuJsXb2A"

_VERSION = 1
_SIZE = 32


class Searchable(Protocol):
    """Bytes, or a file that is mapped into memory."""

    def __getitem__(self, place: slice, /) -> bytes: ...
    def find(self, sub: bytes, start: int = ..., /) -> int: ...


class DigestError(Exception):
    """The digest is of a kind that is not known here. The message is a sentence."""


def edits(program: Searchable, table: Mapping[str, Mapping[str, str]]) -> list[tuple[int, bytes]]:
    """What has to be written where, so that the digests in use fit `ElectronAsarIntegrity`. Empty where none is in use."""
    found: list[tuple[int, bytes]] = []
    for at in _places(program):
        used, version = program[at : at + 1], program[at + 1 : at + 2]
        if used != b"\x01":
            continue
        if version != bytes([_VERSION]):
            raise DigestError(f"Electron's digest is of version {version[0] if version else '?'}, which is not known here")
        found.append((at + 2, digest(table)))
    return found


def fits(program: Searchable, table: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether every digest in use is that of the table."""
    return all(program[at : at + _SIZE] == wanted for at, wanted in edits(program, table))


def digest(table: Mapping[str, Mapping[str, str]]) -> bytes:
    """The keys in their order, each with its algorithm and its hash."""
    text = "".join(key + table[key]["algorithm"] + table[key]["hash"] for key in sorted(table))
    return hashlib.sha256(text.encode()).digest()


def _places(program: Searchable) -> Iterator[int]:
    """Right behind each sentinel."""
    at = program.find(SENTINEL)
    while at >= 0:
        at += len(SENTINEL)
        yield at
        at = program.find(SENTINEL, at)
