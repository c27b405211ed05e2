"""A message of one's own in every request, at a place that does not move."""

from __future__ import annotations

import msgspec

from ..config import Inject
from ..request import Item, Request


def inject(rule: Inject, request: Request) -> str:
    """Other items stay the bytes they were: only the list around them is new."""
    items = request.items or _said(request)
    message = {"type": "message", "role": rule.role, "content": [{"type": "input_text", "text": rule.text}]}
    place = 0 if rule.at == "start" else _opening(items)
    request.put_items([*items[:place], message, *items[place:]])
    return "inject"


def _said(request: Request) -> list[msgspec.Raw]:
    """An `input` that is a text, as the message that it stands for."""
    if not request.said:
        return []
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": request.said}]}
    return [msgspec.Raw(msgspec.json.encode(said))]


def _opening(items: list[msgspec.Raw]) -> int:
    """How many developer and system messages open the conversation."""
    for place, raw in enumerate(items):
        if msgspec.json.decode(raw, type=Item).role not in ("developer", "system"):
            return place
    return len(items)
