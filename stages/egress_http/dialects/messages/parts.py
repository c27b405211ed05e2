"""Content parts: Responses → messages, which knows text, images and documents."""

from __future__ import annotations

import re
from typing import Any

from .. import parts
from ..parts import Part, text_part

_DATA = re.compile(r"data:([\w.+-]+/[\w.+-]+)((?:;[^,;]*)*),")
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


class PartReader(parts.PartReader):
    """Gives `text`, `image` and `document` blocks, all of which may also stand in a tool result."""

    def picture(self, url: str, detail: Any) -> Part:
        """An image of a type the API does not take becomes a sentence: refused, it would spoil the thread for good."""
        if url.startswith(("https://", "http://")):
            return {"type": "image", "source": {"type": "url", "url": url}}
        type, data = _split(url)
        type = "image/jpeg" if type == "image/jpg" else type
        if type not in _IMAGES or not data:
            self._notes.add(f"an image of the type {type or 'unknown'} was left out: this upstream takes PNG, JPEG, GIF and WebP")
            return text_part(f"[An image of the type {type or 'unknown'} was left out here: it cannot be shown to this model.]")
        return {"type": "image", "source": {"type": "base64", "media_type": type, "data": data}}

    def file(self, part: dict[str, Any], place: str) -> Part:
        """PDFs and files behind a URL as documents, text as text."""
        source = _document(part)
        if source is None:
            return super().file(part, place)
        name = part.get("filename")
        title = {"title": name} if isinstance(name, str) and name else {}
        return {"type": "document", "source": source, **title}


def _document(part: dict[str, Any]) -> dict[str, Any] | None:
    url, data = part.get("file_url"), part.get("file_data")
    if isinstance(url, str) and url.startswith(("https://", "http://")):
        return {"type": "url", "url": url}
    type, encoded = _split(data) if isinstance(data, str) else ("", "")
    if type != "application/pdf" or not encoded:
        return None
    return {"type": "base64", "media_type": type, "data": encoded}


def _split(url: str) -> tuple[str, str]:
    """Media type and payload of a base64 `data:` URL; the payload is empty where it is something else."""
    match = _DATA.match(url)
    if match is None:
        return "", ""
    return match[1].lower(), url[match.end() :] if match[2].endswith(";base64") else ""
