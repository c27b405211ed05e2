"""Archives of Electron, built by hand from the public description of the format and without a line of ours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# A path → its content, or a table that goes into the header as it is (links, unpacked files).
Content = bytes | dict[str, Any]


def build(files: Mapping[str, Content], executable: tuple[str, ...] = (), hashed: bool = True, block: int = 4 << 20) -> bytes:
    """The files lie one behind the other in the order they are given."""
    root: dict[str, Any] = {"files": {}}
    data = b""
    for path, content in files.items():
        *folders, name = path.split("/")
        table = root["files"]
        for folder in folders:
            table = table.setdefault(folder, {"files": {}})["files"]
        if isinstance(content, dict):
            table[name] = content
            continue
        table[name] = {"size": len(content)}
        if hashed:
            table[name]["integrity"] = hashes(content, block)
        table[name]["offset"] = str(len(data))
        if path in executable:
            table[name]["executable"] = True
        data += content
    return wrap(json.dumps(root, separators=(",", ":"), ensure_ascii=False)) + data


def wrap(header: str | bytes) -> bytes:
    """The header with the numbers before it."""
    text = header.encode() if isinstance(header, str) else header
    padded = text + b"\0" * ((4 - len(text) % 4) % 4)
    string = len(text).to_bytes(4, "little") + padded
    pickle = len(string).to_bytes(4, "little") + string
    return (4).to_bytes(4, "little") + len(pickle).to_bytes(4, "little") + pickle


def header_of(archive: bytes) -> bytes:
    return archive[16 : 16 + int.from_bytes(archive[12:16], "little")]


def hashes(content: bytes, block: int) -> dict[str, Any]:
    parts = [content[at : at + block] for at in range(0, max(len(content), 1), block)]
    return {
        "algorithm": "SHA256",
        "hash": hashlib.sha256(content).hexdigest(),
        "blockSize": block,
        "blocks": [hashlib.sha256(part).hexdigest() for part in parts],
    }
