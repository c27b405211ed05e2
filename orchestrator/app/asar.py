"""Electron's archive: a header of JSON, then the files one behind the other. Read, and written again with other contents. Pure.

    4 bytes  4, the size of the next number         4 bytes  size of all of the header that follows
    4 bytes  size of what follows in the header     4 bytes  length of the JSON       the JSON, filled up with zeros to 4 bytes
    the files; an `offset` in the header counts from here

Numbers are little-endian. What this module does not know of, it refuses: to guess would be to write an app that does not start.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import msgspec

ALGORITHM = "SHA256"
BLOCK = 4 * 1024 * 1024

_PREFIX = struct.Struct("<IIIi")
_PIECE = 1024 * 1024
_KNOWN = {
    "files": {"files", "unpacked"},
    "link": {"link", "unpacked"},
    "size": {"size", "offset", "integrity", "executable", "unpacked"},
}


class Buffer(Protocol):
    """Bytes, or a file that is mapped into memory."""

    def __len__(self) -> int: ...
    def __getitem__(self, place: slice, /) -> bytes: ...


class AsarError(Exception):
    """The archive cannot be read, or not changed so. The message is a clause about it: `it ends in the middle of …`."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file or a link. `offset` counts from the end of the header; it is None for what is not in the archive: a link, and a file
    that lies in the folder `….asar.unpacked`. `integrity` is the table of hashes as the header has it."""

    path: str
    size: int = 0
    offset: int | None = None
    executable: bool = False
    unpacked: bool = False
    link: str | None = None
    integrity: dict[str, Any] | None = None


class Archive:
    """`entries` by their path, with `/` between its parts and in the order of the header. Raises `AsarError`."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self.header, self._start = _header(buffer)
        self.entries = {path: _entry(path, node) for path, node in _nodes(_tree(self.header))}
        for entry in self.entries.values():
            if entry.offset is not None and self._start + entry.offset + entry.size > len(buffer):
                raise AsarError(f"it ends in the middle of {entry.path}")

    @property
    def header_hash(self) -> str:
        """What the app compares at its start: SHA-256 of the header's JSON, as hexadecimal digits."""
        return hashlib.sha256(self.header).hexdigest()

    def content(self, path: str) -> bytes:
        """Of a file that lies in the archive."""
        entry = self._packed(path)
        return self._slice(entry.offset or 0, entry.size)

    def pieces(self, path: str) -> Iterator[bytes]:
        """The same, a MiB at a time."""
        entry = self._packed(path)
        start = self._start + (entry.offset or 0)
        yield from _pieces(self._buffer, start, start + entry.size)

    def intact(self, path: str) -> bool:
        """Whether the hashes in the header are those of the content; also where there are none."""
        stated = self._packed(path).integrity
        return stated is None or stated == integrity(self.content(path), _block_size(path, stated))

    def rewritten(self, contents: Mapping[str, bytes]) -> Iterator[bytes]:
        """The pieces of the archive with other contents for some of its files; the very same bytes if there are none.

        Whatever else is in it stays: order, gaps between files, flags, links, and what is unpacked. Raises `AsarError`.
        """
        if not contents:
            yield from _pieces(self._buffer, 0, len(self._buffer))
            return
        replaced = sorted((self._replaceable(path) for path in contents), key=lambda entry: entry.offset or 0)
        yield _pickled(self._new_header(contents, replaced))
        at = self._start
        for entry in replaced:
            begin = self._start + (entry.offset or 0)
            yield from _pieces(self._buffer, at, begin)
            yield contents[entry.path]
            at = begin + entry.size
        yield from _pieces(self._buffer, at, len(self._buffer))

    def _new_header(self, contents: Mapping[str, bytes], replaced: list[Entry]) -> bytes:
        tree = _tree(self.header)
        for path, node in _nodes(tree):
            offset = self.entries[path].offset
            if offset is not None:
                moved = sum(len(contents[entry.path]) - entry.size for entry in replaced if (entry.offset or 0) < offset)
                node["offset"] = str(offset + moved)
            if path in contents:
                node["size"] = len(contents[path])
                if "integrity" in node:
                    node["integrity"] = integrity(contents[path], _block_size(path, node["integrity"]))
        return json.dumps(tree, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")

    def _replaceable(self, path: str) -> Entry:
        entry = self._packed(path)
        begin, end = entry.offset or 0, (entry.offset or 0) + entry.size
        if begin == end:
            raise AsarError(f"{path} is empty, so there is nothing in it to replace")
        for other in self.entries.values():
            if other is not entry and other.offset is not None and other.offset < end and begin < other.offset + other.size:
                raise AsarError(f"{path} and {other.path} share their bytes")
        return entry

    def _packed(self, path: str) -> Entry:
        entry = self.entries.get(path)
        if entry is None or entry.offset is None:
            raise AsarError(f"there is no file {path} in it")
        return entry

    def _slice(self, offset: int, size: int) -> bytes:
        return self._buffer[self._start + offset : self._start + offset + size]


def integrity(content: bytes, block_size: int = BLOCK) -> dict[str, Any]:
    """The hashes that the app compares when it reads the file: of all of it, and of each block."""
    blocks = [content[at : at + block_size] for at in range(0, len(content), block_size)] or [b""]
    return {
        "algorithm": ALGORITHM,
        "hash": hashlib.sha256(content).hexdigest(),
        "blockSize": block_size,
        "blocks": [hashlib.sha256(block).hexdigest() for block in blocks],
    }


def differing(one: Archive, other: Archive) -> set[str]:
    """The paths that only one of them has, or whose content or flags are not the same. Where a file lies is not looked at."""
    found = one.entries.keys() ^ other.entries.keys()
    for path in one.entries.keys() & other.entries.keys():
        ours, theirs = one.entries[path], other.entries[path]
        same = msgspec.structs.replace(ours, offset=None) == msgspec.structs.replace(theirs, offset=None)
        packed = ours.offset is not None
        if not same or packed is not (theirs.offset is not None) or (packed and not _alike(one.pieces(path), other.pieces(path))):
            found.add(path)
    return found


def _alike(one: Iterator[bytes], other: Iterator[bytes]) -> bool:
    return all(mine == its for mine, its in zip(one, other, strict=True))


# -- the header -------------------------------------------------------------------------------------------------------


def _header(buffer: Buffer) -> tuple[bytes, int]:
    """The JSON, and where the files begin."""
    if len(buffer) < _PREFIX.size:
        raise AsarError("it is too short to be an archive")
    four, size, inner, length = _PREFIX.unpack(buffer[: _PREFIX.size])
    if four != 4 or inner != size - 4 or length < 0 or length + -length % 4 != inner - 4:
        raise AsarError("it does not begin like an archive")
    if 8 + size > len(buffer):
        raise AsarError("it ends in the middle of its header")
    return buffer[_PREFIX.size : _PREFIX.size + length], 8 + size


def _pickled(header: bytes) -> bytes:
    padding = -len(header) % 4
    size = len(header) + padding
    return _PREFIX.pack(4, size + 8, size + 4, len(header)) + header + bytes(padding)


def _tree(header: bytes) -> dict[str, Any]:
    try:
        tree = json.loads(header.decode(), object_pairs_hook=_table)
    except (ValueError, RecursionError) as error:
        raise AsarError(f"its header is not what JSON should be ({type(error).__name__})") from None
    if not isinstance(tree, dict) or set(tree) != {"files"}:
        raise AsarError("its header is not a table with `files` alone")
    return tree


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise AsarError("its header has the same name twice in one folder")
    return table


def _nodes(tree: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """All files and links with their paths. The folders are looked at, too, but are nothing by themselves."""
    found: list[tuple[str, dict[str, Any]]] = []
    waiting = [("", tree)]
    while waiting:
        path, node = waiting.pop()
        kind = next((kind for kind in _KNOWN if isinstance(node, dict) and kind in node), None)
        if kind is None or set(node) - _KNOWN[kind]:
            strange = sorted(set(node) - _KNOWN[kind]) if kind else []
            raise AsarError(f"its header says of {path} what is not known here{': ' + ', '.join(strange) if strange else ''}")
        if kind != "files":
            found.append((path, node))
            continue
        if not isinstance(node["files"], dict):
            raise AsarError(f"its header has no table for the folder {path or '/'}")
        for name, child in reversed(node["files"].items()):
            if name in ("", ".", "..") or set(name) & set("/\\\0"):
                raise AsarError(f"its header has the impossible name {name!r} in {path or '/'}")
            waiting.append((f"{path}/{name}" if path else name, child))
    return found


def _entry(path: str, node: dict[str, Any]) -> Entry:
    flags = {name: node.get(name, False) for name in ("executable", "unpacked")}
    if not all(isinstance(flag, bool) for flag in flags.values()):
        raise AsarError(f"its header has a flag of {path} that is neither true nor false")
    if "link" in node:
        if not isinstance(node["link"], str):
            raise AsarError(f"its header has no target for the link {path}")
        return Entry(path=path, link=node["link"], **flags)
    size, offset = node["size"], node.get("offset")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise AsarError(f"its header has no size for {path}")
    if offset is None and flags["unpacked"]:
        return Entry(path=path, size=size, integrity=_hashes(path, node), **flags)
    if not isinstance(offset, str) or not offset.isascii() or not offset.isdigit() or flags["unpacked"]:
        raise AsarError(f"its header does not say where {path} is")
    return Entry(path=path, size=size, offset=int(offset), integrity=_hashes(path, node), **flags)


def _hashes(path: str, node: dict[str, Any]) -> dict[str, Any] | None:
    found = node.get("integrity")
    if found is not None and not isinstance(found, dict):
        raise AsarError(f"its header has no table of hashes for {path}")
    return found


def _block_size(path: str, stated: dict[str, Any]) -> int:
    size = stated.get("blockSize")
    if set(stated) != {"algorithm", "hash", "blockSize", "blocks"} or stated["algorithm"] != ALGORITHM:
        raise AsarError(f"the hashes of {path} are of a kind that is not known here")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise AsarError(f"the hashes of {path} are of blocks without a size")
    return size


def _pieces(buffer: Buffer, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, _PIECE):
        yield buffer[at : min(at + _PIECE, end)]
