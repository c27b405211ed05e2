"""`reasoning_details`: what OpenRouter and MiniMax stream of a model's thinking, and want back whole and in order.

Texts come in pieces, one entry each, and a signature at their end; what goes back is one entry per text. A text that the client
keeps as the summary of its reasoning item is not kept twice: `True` stands for it.
"""

from __future__ import annotations

from typing import Any

Entry = dict[str, Any]

_TEXTS = {"reasoning.text": "text", "reasoning.summary": "summary"}
# Makers that refuse thinking of theirs without their signature.
_SIGNED_FORMATS = ("anthropic-claude", "google-gemini")


class Details:
    """The entries so far. `add` takes them as they come, in the stream or from several items."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._pieces: list[list[str]] = []

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, details: Any) -> None:
        for entry in details if isinstance(details, list) else [details]:
            if isinstance(entry, dict):
                self._one(entry)

    def whole(self) -> list[Entry]:
        return [_with_text(entry, "".join(pieces)) for entry, pieces in zip(self._entries, self._pieces, strict=True)]

    def _one(self, entry: Entry) -> None:
        field = _TEXTS.get(str(entry.get("type")))
        text = entry.get(field) if field else None
        if field and self._entries and _goes_on(self._entries[-1], entry):
            self._entries[-1].update({key: value for key, value in entry.items() if value is not None and key != field})
        else:
            self._entries.append(dict(entry))
            self._pieces.append([])
        if isinstance(text, str):
            self._pieces[-1].append(text)


def lean(entries: list[Entry], shown: str) -> list[Entry]:
    """Without the text that is shown anyway."""
    return [
        {**entry, field: True} if (field := _own_text(entry)) and shown and entry[field] == shown else entry for entry in entries
    ]


def full(entries: Any, shown: str) -> list[Entry]:
    """What `lean` was made of."""
    known = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return [{**entry, field: shown} if (field := _own_text(entry)) and entry[field] is True else entry for entry in known]


def signed(entries: list[Entry]) -> bool:
    """Only the model that wrote them can read them."""
    return any(entry.get("signature") or entry.get("type") == "reasoning.encrypted" for entry in entries)


def sendable(entries: list[Entry]) -> list[Entry]:
    """Those that are not refused: thinking that had to be signed and is not stays out."""
    return [entry for entry in entries if not (entry.get("type") == "reasoning.text" and _must_be_signed(entry))]


def _must_be_signed(entry: Entry) -> bool:
    return str(entry.get("format")).startswith(_SIGNED_FORMATS) and not entry.get("signature")


def _goes_on(last: Entry, entry: Entry) -> bool:
    if last.get("type") != entry.get("type") or last.get("index") != entry.get("index"):
        return False
    return not (last.get("signature") and entry.get("text"))


def _own_text(entry: Entry) -> str | None:
    field = _TEXTS.get(str(entry.get("type")))
    return field if field in entry else None


def _with_text(entry: Entry, text: str) -> Entry:
    field = _own_text(entry)
    return {**entry, field: text} if field and isinstance(entry[field], str) else entry
