"""Content that comes as a list of parts, and reasoning that comes as a list of details."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .think import Kind


def content_pieces(content: Any) -> Iterator[tuple[Kind, str, dict[str, Any]]]:
    """The texts of a list of parts, in order. Mistral puts its thinking among them; parts without text say nothing.

    With thinking comes the rest of its part, which goes back with it.
    """
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            yield "text", part, {}
        elif isinstance(part, dict) and "thinking" in part:
            yield "reasoning", details_text(part["thinking"]), {key: part[key] for key in part if key not in ("type", "thinking")}
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            yield "text", part["text"], {}


def details_text(details: Any) -> str:
    """The readable text of `reasoning_details` and the like; encrypted ones have none."""
    if isinstance(details, str):
        return details
    if isinstance(details, dict):
        details = [details]
    if not isinstance(details, list):
        return ""
    return "".join(_text_of(entry) for entry in details)


def _text_of(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    texts = (entry.get(name) for name in ("text", "summary", "content")) if isinstance(entry, dict) else ()
    return next((text for text in texts if isinstance(text, str)), "")
