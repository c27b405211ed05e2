"""A conversation put into a few words, as an item of `input`.

Codex asks for one by a `compaction_trigger` behind its history, and sends the `compaction` item it gets in place of that history
from then on. What is inside is ours: the text, in an envelope that every egress of every provider can open again.
"""

from __future__ import annotations

from typing import Any

from .envelope import Envelope, seal, unseal

Item = dict[str, Any]

KIND = "summary"
ITEM_TYPES = frozenset({"compaction", "compaction_summary", "context_compaction"})

_HEAD = "What follows is a summary of this conversation up to here; the messages themselves were left out to save room.\n\n"


def is_asked(body: dict[str, Any]) -> bool:
    """Whether the request ends in a `compaction_trigger`."""
    items = body.get("input")
    return isinstance(items, list) and bool(items) and _type(items[-1]) == "compaction_trigger"


def item(text: str, id: str) -> Item:
    """The same text gives the same content."""
    return {"type": "compaction", "id": id, "encrypted_content": seal(Envelope(kind=KIND, data=text))}


def text_of(item: Any) -> str | None:
    """The summary inside an item, None where it is no compaction or not one of ours."""
    envelope = unseal(item.get("encrypted_content")) if _type(item) in ITEM_TYPES else None
    return envelope.data if envelope and envelope.kind == KIND and isinstance(envelope.data, str) else None


def as_message(text: str) -> Item:
    """What a model is shown in place of the item."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": _HEAD + text}]}


def _type(item: Any) -> str:
    type = item.get("type") if isinstance(item, dict) else None
    return type if isinstance(type, str) else ""
