"""Content parts: Responses → Gemini. Pictures and files go inline, or as the address they have."""

from __future__ import annotations

from typing import Any

from ..parts import Part, text_of_data_url
from ..parts import PartReader as CommonReader

# By the end of an address; a system's own table of them would differ from one machine to the next.
_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}
_TYPES |= {"pdf": "application/pdf", "mp3": "audio/mpeg", "wav": "audio/wav", "mp4": "video/mp4", "txt": "text/plain"}

# What the models read besides text and images.
_FILES = ("application/pdf", "audio/", "video/")


class PartReader(CommonReader):
    """Gives text parts, and `{"type": "media", "media": …}` with what stands in a Gemini part."""

    def picture(self, url: str, detail: Any) -> Part:
        return {"type": "media", "media": _inline(url) or _linked(url, "image/png")}

    def file(self, part: dict[str, Any], place: str) -> Part:
        data, url = part.get("file_data"), part.get("file_url")
        if isinstance(url, str) and url:
            return {"type": "media", "media": _linked(url, "application/pdf")}
        inline = _inline(data) if isinstance(data, str) and text_of_data_url(data) is None else None
        if inline is not None and inline["inlineData"]["mimeType"].startswith(_FILES):
            return {"type": "media", "media": inline}
        return super().file(part, place)


def wire(part: Part) -> dict[str, Any]:
    """The part as it is sent."""
    return {"text": part["text"]} if part["type"] == "text" else part["media"]


def _inline(url: str) -> dict[str, Any] | None:
    head, comma, payload = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    return {"inlineData": {"mimeType": head[5:].partition(";")[0] or "application/octet-stream", "data": payload}}


def _linked(url: str, otherwise: str) -> dict[str, Any]:
    ending = url.partition("?")[0].rpartition(".")[2].lower()
    return {"fileData": {"mimeType": _TYPES.get(ending, otherwise), "fileUri": url}}
