"""Reads what the chain offers (contract/advertised.py). A small file on a local disk, yet a disk: so not in the loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..contract.advertised import Advertised, decode


async def read(path: str) -> Advertised:
    """What stands there now. Nothing is on offer without a file: then a stage is run by itself."""
    return decode(await asyncio.to_thread(_content, path)) if path else Advertised()


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
