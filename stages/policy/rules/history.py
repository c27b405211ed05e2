"""Dedupe and trim: what a conversation carries along and nobody needs in full any more.

What was sent in the turn before must come to the provider as the same bytes again, or its prompt cache is lost from there on. So
what becomes of an item follows from the items before it (dedupe), or from a boundary that moves seldom and says so when it does
(trim).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from ..config import Dedupe, Trim
from ..request import Item, Request, texts

# What Codex puts before the output of a command: some of it is another with each run.
_HEAD = re.compile(r"\A(?:Chunk ID|Wall time|Exit code): .*\n(?:[A-Z][\w ]*: .*\n|Process .*\n)*Output:\n")
_EVER_NEW = re.compile(r"^(?:Chunk ID|Wall time): .*\n", re.MULTILINE)
# How messages begin that nobody typed: Codex puts them in front of a conversation, and again when it is resumed.
_BOILERPLATE = ("<", "# AGENTS.md")


def dedupe(rule: Dedupe, request: Request) -> str | None:
    """The first of several stays. Each depends on those before it alone, so the prefix is always stable."""
    items = request.items
    seen: dict[bytes, str] = {}
    changed: dict[int, Any] = {}
    for place, item in enumerate(request.read(items)):
        held = _repeatable(rule, item)
        if held is None or sum(map(len, texts(held))) < rule.least:
            continue
        digest = hashlib.sha256(msgspec.json.encode([item.type, item.role, _without_head(held)])).digest()
        if digest in seen:
            changed[place] = _pointing(items[place], seen[digest])
        else:
            seen[digest] = f"as that of {item.call_id}, above" if item.is_output else "as one above"
    return _put(request, items, changed, "dedupe")


def trim(rule: Trim, request: Request) -> str | None:
    """Outputs before the boundary keep head and tail; the boundary counts outputs before the latest turn, in steps."""
    items = request.items
    read = list(request.read(items))
    turns = [place for place, item in enumerate(read) if item.is_message and item.role == "user" and not is_boilerplate(item)]
    if not turns:
        return None
    outputs = [place for place, item in enumerate(read) if item.is_output and place < turns[-1]]
    old = outputs[: _boundary(rule, len(outputs))]
    changed = {place: new for place in old if (new := _shortened(rule, items[place], read[place])) is not None}
    moved = turns[-1] == len(items) - 1 and len(old) != _boundary(rule, _before(outputs, turns))
    return _put(request, items, changed, "trim", "; the prompt cache starts anew" if moved else "")


def is_boilerplate(item: Item) -> bool:
    if not item.is_message:
        return False
    return item.role in ("developer", "system") or (item.role == "user" and "".join(texts(item.content)).startswith(_BOILERPLATE))


def _repeatable(rule: Dedupe, item: Item) -> Any:
    """What may be the same as earlier: an output, or the content of a message that nobody typed."""
    if item.is_output:
        return item.output if "outputs" in rule.what else None
    return item.content if "messages" in rule.what and is_boilerplate(item) else None


def _without_head(held: Any) -> Any:
    """What can be the same when a command is run again."""
    if not isinstance(held, str) or not (head := _HEAD.match(held)):
        return held
    return _EVER_NEW.sub("", head[0]) + held[head.end() :]


def _pointing(raw: msgspec.Raw, where: str) -> dict[str, Any]:
    item = msgspec.json.decode(raw, type=dict[str, Any])
    if "output" in item:
        head = _HEAD.match(item["output"]) if isinstance(item["output"], str) else None
        return {**item, "output": f"{head[0] if head else ''}[This output is the same {where}.]"}
    return {**item, "content": [{"type": "input_text", "text": f"[This message is the same {where}.]"}]}


def _boundary(rule: Trim, outputs: int) -> int:
    return max(0, outputs - rule.keep) // rule.step * rule.step


def _before(outputs: list[int], turns: list[int]) -> int:
    """How many outputs there were when the turn before the latest was asked."""
    return sum(place < turns[-2] for place in outputs) if len(turns) > 1 else 0


def _shortened(rule: Trim, raw: msgspec.Raw, item: Item) -> dict[str, Any] | None:
    """None for one that is short enough."""
    if not any(len(text) > rule.above for text in texts(item.output)):
        return None
    whole = msgspec.json.decode(raw, type=dict[str, Any])
    if isinstance(item.output, str):
        return {**whole, "output": _cut(rule, item.output)}
    parts = [{**each, "text": _cut(rule, each["text"])} if texts([each]) else each for each in item.output]
    return {**whole, "output": parts}


def _cut(rule: Trim, text: str) -> str:
    left_out = len(text) - rule.head - rule.tail
    if len(text) <= rule.above or left_out <= 0:
        return text
    return f"{text[: rule.head]}\n[… {left_out} characters were left out here …]\n{text[len(text) - rule.tail :]}"


def _put(request: Request, items: list[msgspec.Raw], changed: dict[int, Any], rule: str, more: str = "") -> str | None:
    if not changed:
        return None
    before = request.tokens
    request.put_items([changed.get(place, item) for place, item in enumerate(items)])
    return f"{rule} {len(changed)} items, about {before} → {request.tokens} tokens{more}"
