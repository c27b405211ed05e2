"""Which folder a turn is about. Pure; whether it exists is for others to see.

Codex says it in the `<cwd>` of its `<environment_context>`, anew where it changes, and in the header `x-codex-turn-metadata`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

EMPTY = "none"
METADATA = "x-codex-turn-metadata"
_CWD = re.compile(r"<cwd>\s*(.*?)\s*</cwd>", re.S)


def named(body: Mapping[str, Any], headers: Mapping[str, str]) -> list[str]:
    """The folders that a request names, the most telling first."""
    items = body.get("input")
    said = [cwd for item in reversed(items) for cwd in reversed(list(_folders_in(item)))] if isinstance(items, list) else []
    return [*said[:1], *_in_metadata(headers.get(METADATA, ""))]


def is_ours(folder: Path, root: Path) -> bool:
    """Whether a folder is part of what codex-shim runs from: no agent should look at, or work on, what runs it."""
    return folder.is_relative_to(root)


def _folders_in(item: Any) -> Iterator[str]:
    """Only the context that Codex writes, not a message that quotes one."""
    content = item.get("content") if isinstance(item, dict) and item.get("role") == "user" else None
    parts = [content] if isinstance(content, str) else content if isinstance(content, list) else []
    for part in parts:
        text = part.get("text") if isinstance(part, dict) else part
        if isinstance(text, str) and text.lstrip().startswith("<environment_context>") and (found := _CWD.search(text)):
            yield found[1]


def _in_metadata(header: str) -> list[str]:
    try:
        workspaces = msgspec.json.decode(header or "{}", type=dict[str, Any]).get("workspaces")
    except (msgspec.DecodeError, msgspec.ValidationError):
        return []
    if isinstance(workspaces, dict | list):
        return [folder for folder in workspaces if isinstance(folder, str)]
    return []
