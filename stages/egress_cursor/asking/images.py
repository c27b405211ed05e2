"""What can be said of a picture that cannot be shown: its kind, its size in pixels and in bytes."""

from __future__ import annotations

import base64
import binascii
import struct

# Of a JPEG the size stands behind its metadata, which seldom is longer than this.
_LOOK_AT = 256 * 1024
_SIZE_BEHIND = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def describe(url: str) -> str:
    """`[image omitted: PNG 640×480, 32 kB]` for a data URL, as much of it as can be known; the host for any other address."""
    head, comma, payload = url.partition(",")
    if not url.startswith("data:") or not comma:
        host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
        return f"[image omitted: linked from {host}]" if host else "[image omitted]"
    kind = head.removeprefix("data:").partition(";")[0].removeprefix("image/").upper() or "IMAGE"
    size = _pixels(_first_bytes(payload)) if head.endswith(";base64") else None
    shown = f" {size[0]}×{size[1]}" if size else ""
    return f"[image omitted: {kind}{shown}, {weight(payload)}]"


def weight(payload: str) -> str:
    """How much base64 text holds."""
    size = len(payload) * 3 // 4
    return f"{size} bytes" if size < 1000 else f"{round(size / 1000)} kB"


def _first_bytes(payload: str) -> bytes:
    some = payload[:_LOOK_AT]
    try:
        return base64.b64decode(some[: len(some) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


def _pixels(data: bytes) -> tuple[int, int] | None:
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", data, 16)
        if data.startswith(b"GIF8"):
            return struct.unpack_from("<HH", data, 6)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
        return _jpeg(data) if data.startswith(b"\xff\xd8") else None
    except struct.error:
        return None


def _webp(data: bytes) -> tuple[int, int] | None:
    if data[12:16] == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _SIZE_BEHIND:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + max(length, 2)
    return None
