"""One turn of the model as chat messages: what it thought and said, its calls, and the answers to them.

A turn that only thought is none: a client that rolled its history back may leave reasoning without what it led to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...config import Quirks
from ..parts import Part, join_text, text_part
from .details import Details, sendable
from .reasoning import Kept

Message = dict[str, Any]

NO_OUTPUT = "(no output was recorded)"


class Turn:
    """`pieces` in the order they came; `waiting`, calls without an answer; `later`, what was said before all had theirs."""

    def __init__(self, quirks: Quirks) -> None:
        self._quirks = quirks
        self.pieces: list[str | Kept] = []
        self.calls: list[dict[str, Any]] = []
        self.waiting: set[str] = set()
        self.results: dict[str, list[Part]] = {}
        self.later: list[Message] = []

    def messages(self) -> list[Message]:
        if not self.calls and not any(isinstance(piece, str) for piece in self.pieces):
            return self.later
        images: list[Part] = []
        answers = [self._answer(call, images) for call in self.calls]
        shown = [{"role": "user", "content": images}] if images else []
        return [self._spoken(), *answers, *shown, *self.later]

    def _spoken(self) -> Message:
        kept = [piece for piece in self.pieces if isinstance(piece, Kept)]
        back = self._quirks.reasoning_back == "always" or (self._quirks.reasoning_back == "calls" and bool(self.calls))
        pieces = self.pieces if back else [piece for piece in self.pieces if isinstance(piece, str)]
        fields = _fields([piece for piece in pieces if isinstance(piece, Kept)]) if back else {}
        content = _content(pieces)
        if back and self._quirks.reasoning_lost and not fields and isinstance(content, str):
            fields = {self._quirks.reasoning_field: self._quirks.reasoning_lost}
        message: Message = {"role": "assistant", "content": content or self._nothing(), **fields}
        if self.calls:
            message["tool_calls"] = self._with_state(kept)
        return message

    def _nothing(self) -> Any:
        if self._quirks.empty_content == "list":
            return [text_part("")]
        return None if self._quirks.empty_content == "null" else ""

    def _with_state(self, kept: list[Kept]) -> list[dict[str, Any]]:
        """The calls, each with what came along with it; where all of that is lost, the first with what stands for it."""
        extras = {id: extra for piece in kept if piece.kind == "calls" for id, extra in piece.data.items()}
        if self._quirks.call_state_lost and not any(call["id"] in extras for call in self.calls):
            extras = {self.calls[0]["id"]: self._quirks.call_state_lost}
        return [{**call, "extra_content": extras[call["id"]]} if call["id"] in extras else call for call in self.calls]

    def _answer(self, call: dict[str, Any], images: list[Part]) -> Message:
        id, name = call["id"], call["function"]["name"]
        text: list[Part] = []
        for part in self.results.get(id, [text_part(NO_OUTPUT)]):
            if part["type"] == "text":
                text.append(part)
            else:
                label = f"[image {len(images) // 2 + 1}, from {name} {id}]"
                text.append(text_part(label))
                images += [text_part(label), part]
        named = {"name": name} if self._quirks.tool_names else {}
        return {"role": "tool", "tool_call_id": id, **named, "content": join_text(text)}


def _fields(kept: list[Kept]) -> dict[str, Any]:
    """The fields of an assistant message; of several texts, each keeps its own lines."""
    texts: dict[str, list[str]] = {}
    entries = Details()
    for piece in kept:
        if piece.kind == "text":
            texts.setdefault(piece.data, []).append(piece.text)
        elif piece.kind == "details":
            entries.add(piece.data)
    fields: dict[str, Any] = {field: "\n".join(lines) for field, lines in texts.items()}
    sent = sendable(entries.whole())
    return {**fields, "reasoning_details": sent} if sent else fields


def _content(pieces: Sequence[str | Kept]) -> str | list[Part]:
    """Text, with thinking in it where it came in it: as tags, or as parts."""
    if any(isinstance(piece, Kept) and piece.kind == "part" for piece in pieces):
        return [_part(piece) for piece in pieces if isinstance(piece, str) or piece.kind == "part"]
    text, joint = "", ""
    for piece in pieces:
        if isinstance(piece, str):
            text, joint = text + joint + piece, "\n\n"
        elif piece.kind == "tags":
            text, joint = text + joint + piece.data[0] + piece.text + piece.data[1], ""
    return text


def _part(piece: str | Kept) -> Part:
    if isinstance(piece, str):
        return text_part(piece)
    return {"type": "thinking", "thinking": [text_part(piece.text)], **piece.data}
