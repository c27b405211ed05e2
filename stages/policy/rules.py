"""What each rule does to a request. Pure: a document in, the same document changed, and the names of the rules that did it."""

from __future__ import annotations

import msgspec

from ..contract.body import Document
from .config import InjectRule


class _Item(msgspec.Struct):
    role: str | None = None


def apply(rules: list[InjectRule], document: Document) -> list[str]:
    """Apply the rules in order. Returns one word per rule that changed something, for the log line."""
    model = document.get("model", str)
    return [_inject(rule, document) for rule in rules if not rule.models or model in rule.models]


def _inject(rule: InjectRule, document: Document) -> str:
    """Other items stay the bytes they were: only the list around them is new."""
    items = document.get("input", list[msgspec.Raw]) or []
    message = {"type": "message", "role": rule.role, "content": [{"type": "input_text", "text": rule.inject}]}
    place = 0 if rule.at == "start" else _opening(items)
    document.set("input", [*items[:place], message, *items[place:]])
    return "inject"


def _opening(items: list[msgspec.Raw]) -> int:
    """How many developer and system messages open the conversation."""
    for place, item in enumerate(items):
        if msgspec.json.decode(item, type=_Item).role not in ("developer", "system"):
            return place
    return len(items)
