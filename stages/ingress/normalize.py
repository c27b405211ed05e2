"""The short forms that clients may write, made into the one long form that every stage behind ingress can rely on.

Codex writes the long form always, so the usual cost is one typed scan of `input` and nothing is copied.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..contract.body import UNREADABLE, Document, explain
from ..contract.errors import refuse


class _Item(msgspec.Struct):
    """As much of an input item as tells whether it is short for something."""

    type: Any = None
    content: msgspec.Raw = msgspec.Raw(b"")


_peek = msgspec.json.Decoder(list[_Item])


def normalize(document: Document) -> None:
    """Check `model` and `input`, and write short forms out. Raises `HopError` (400) naming the field."""
    if not document.get("model", str):
        raise refuse("`model` is missing from the request body", param="model")
    raw = document.raw("input")
    if raw is None:
        raise refuse("`input` is missing from the request body", param="input")
    if bytes(raw[:1] if isinstance(raw, bytes) else memoryview(raw)[:1]) == b'"':
        document.set("input", [_message("user", document.get("input", str) or "")])
    elif _has_short_forms(raw):
        document.set("input", [_long_form(item) for item in document.get("input", list[dict[str, Any]]) or []])


def _has_short_forms(raw: msgspec.Raw) -> bool:
    try:
        items = _peek.decode(raw)
    except UNREADABLE as error:
        raise refuse(f"`input` must be a text or a list of items: {explain(error)}", param="input") from error
    return any(item.type is None or (item.type == "message" and bytes(memoryview(item.content)[:1]) == b'"') for item in items)


def _long_form(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("type") is None and "role" in item:
        item = {"type": "message", **item}
    if item.get("type") == "message" and isinstance(item.get("content"), str):
        return {**item, "content": [_part(item.get("role"), item["content"])]}
    return item


def _message(role: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [_part(role, text)]}


def _part(role: Any, text: str) -> dict[str, str]:
    return {"type": "output_text" if role == "assistant" else "input_text", "text": text}
