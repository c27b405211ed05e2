"""Content parts, read the same way for every language.

Text is text everywhere. How a language shows a picture or a file is its own affair: it overrides `picture` and `file`. Whatever
else a message or a tool result holds is put in words, or refused with the place where it stands when words would not do. Nothing is
left out without a sentence about it.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from ...contract.errors import refuse
from ...contract.notes import Notes
from .base import Target

Part = dict[str, Any]

NO_IMAGES = "[An image was left out here: this model takes text only.]"
_TEXT_TYPES = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})


class PartReader:
    """Reads the `content` of messages and the `output` of tools for one target."""

    def __init__(self, target: Target, notes: Notes) -> None:
        self._target = target
        self._notes = notes

    def read(self, content: Any, place: str) -> list[Part]:
        """Text parts, and the language's own. Raises `HopError` for what this upstream cannot be given, naming `place`."""
        if content is None:
            return []
        if isinstance(content, str):
            return [text_part(content)] if content else []
        if not isinstance(content, list):
            return [text_part(as_json(content))]
        parts = (self._one(part, f"{place}[{number}]") for number, part in enumerate(content))
        return [part for part in parts if part.get("text") != ""]

    def image(self, url: str, detail: Any = None) -> Part:
        if not self._target.images:
            self._notes.add("images were left out: this model takes text only")
            return text_part(NO_IMAGES)
        return self.picture(url, detail)

    def picture(self, url: str, detail: Any) -> Part:
        """An image in the words of the language."""
        raise NotImplementedError

    def file(self, part: dict[str, Any], place: str) -> Part:
        """A file with readable text inside is given as text; others are refused."""
        text = text_of_data_url(part.get("file_data"))
        if text is None:
            name = part.get("filename") or "file"
            raise refuse(f"{place} is the file {name}, which this upstream cannot be given; send its text instead", param="input")
        return text_part(f'<file name="{part.get("filename") or "file"}">\n{text}\n</file>')

    def _one(self, part: Any, place: str) -> Part:
        if isinstance(part, str):
            return text_part(part)
        type = part.get("type") if isinstance(part, dict) else None
        if type in _TEXT_TYPES and isinstance(part.get("text"), str):
            return text_part(part["text"])
        if type == "refusal" and isinstance(part.get("refusal"), str):
            return text_part(part["refusal"])
        if type == "input_image":
            return self._input_image(part, place)
        if type == "input_file":
            return self.file(part, place)
        return self._unusual(part, type, place)

    def _input_image(self, part: dict[str, Any], place: str) -> Part:
        url = part.get("image_url")
        url = url.get("url") if isinstance(url, dict) else url
        if not isinstance(url, str) or not url:
            raise refuse(f"{place} is an image without an `image_url`; this upstream cannot look up file ids", param="input")
        return self.image(url, part.get("detail"))

    def _unusual(self, part: Any, type: Any, place: str) -> Part:
        if type == "input_audio":
            raise refuse(f"{place} is audio, which this upstream cannot be given", param="input")
        if type == "encrypted_content":
            self._notes.add("encrypted content in a message could not be read and was replaced by a sentence")
            return text_part("[Encrypted content that cannot be read here.]")
        self._notes.add(f"content of the unknown type {type} was passed on as JSON text")
        return text_part(as_json(part))


def text_part(text: str) -> Part:
    return {"type": "text", "text": text}


def as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def join_text(parts: list[Part], separator: str = "\n") -> str:
    """The text of parts that are all text."""
    return separator.join([part["text"] for part in parts])


def text_of_data_url(data: Any) -> str | None:
    """What a `data:` URL of text or JSON says."""
    head, comma, payload = data.partition(",") if isinstance(data, str) else ("", "", "")
    if not comma or not head.startswith(("data:text/", "data:application/json")) or not head.endswith(";base64"):
        return None
    try:
        return base64.b64decode(payload, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
