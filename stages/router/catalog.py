"""Reads the entries of subscriptions' models. A disk, and a list of up to a megabyte: so not in the loop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec


class _Catalog(msgspec.Struct):
    models: list[dict[str, Any]] = []


async def read(path: str) -> list[dict[str, Any]]:
    """What stands there now; nothing without a file."""
    return await asyncio.to_thread(_entries, path) if path else []


def _entries(path: str) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=_Catalog).models
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return []
