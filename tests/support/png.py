"""A picture for tests: two by two pixels of red."""

from __future__ import annotations

import base64
import struct
import zlib


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_SIZE = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
_ROW = b"\0" + b"\xff\0\0" * 2
PNG = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", _SIZE) + _chunk(b"IDAT", zlib.compress(_ROW * 2)) + _chunk(b"IEND", b"")
DATA_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()
