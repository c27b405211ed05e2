"""The content of messages and of tool outputs as text, which is all that `cursor-agent --print` takes."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from ...contract.notes import Notes
from . import images

_TEXTS = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})

# Of a longer output its beginning and its end are shown: that is where what was run and how it ended stands.
OUTPUT_LIMIT = 60_000
_HEAD, _TAIL = 40_000, 20_000


def as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def text_of(content: Any, notes: Notes) -> str:
    """A text, or parts of which each is on lines of its own."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return "" if content is None else as_json(content)
    return "\n".join(text for part in content if (text := _part(part, notes)))


def shortened(text: str) -> str:
    """The same output always comes out the same."""
    if len(text) <= OUTPUT_LIMIT:
        return text
    left_out = len(text) - _HEAD - _TAIL
    return f"{text[:_HEAD]}\n[… {left_out} characters were left out here …]\n{text[-_TAIL:]}"


def _part(part: Any, notes: Notes) -> str:
    if isinstance(part, str):
        return part
    type = part.get("type") if isinstance(part, dict) else None
    if type in _TEXTS and isinstance(part.get("text"), str):
        return part["text"]
    if type == "refusal" and isinstance(part.get("refusal"), str):
        return part["refusal"]
    if type == "input_image":
        return _image(part.get("image_url"), notes)
    if type == "input_file":
        return _file(part, notes)
    return _unusual(part, type, notes)


def _image(url: Any, notes: Notes) -> str:
    notes.add("images were described, not shown: cursor-agent takes text only")
    url = url.get("url") if isinstance(url, dict) else url
    return images.describe(url) if isinstance(url, str) else "[image omitted]"


def _file(part: dict[str, Any], notes: Notes) -> str:
    """A file of text as text, any other by its name, kind and size."""
    name = part.get("filename") if isinstance(part.get("filename"), str) else "file"
    data = part.get("file_data")
    head, _, payload = data.partition(",") if isinstance(data, str) else ("", "", "")
    text = _text_inside(head, payload)
    if text is not None:
        return f'<file name="{name}">\n{text}\n</file>'
    notes.add("files without readable text were named, not shown: cursor-agent takes text only")
    kind = head.removeprefix("data:").partition(";")[0]
    known = [name, *([kind] if kind else []), *([images.weight(payload)] if payload else [])]
    return f"[file omitted: {', '.join(known)}]"


def _text_inside(head: str, payload: str) -> str | None:
    if not head.startswith(("data:text/", "data:application/json")) or not head.endswith(";base64"):
        return None
    try:
        return base64.b64decode(payload, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _unusual(part: Any, type: Any, notes: Notes) -> str:
    if type == "input_audio":
        notes.add("audio was left out: cursor-agent takes text only")
        return "[audio omitted]"
    if type == "encrypted_content":
        notes.add("encrypted content in a message could not be read and was replaced by a sentence")
        return "[Encrypted content that cannot be read here.]"
    notes.add(f"content of the unknown type {type} was passed on as JSON text")
    return as_json(part)
