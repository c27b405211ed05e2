"""Content parts: Responses → chat, which knows text and images."""

from __future__ import annotations

from typing import Any

from .. import parts
from ..parts import Part, join_text

_DETAILS = {"low": "low", "high": "high", "auto": "auto", "original": "high"}


class PartReader(parts.PartReader):
    """Gives chat's `text` and `image_url` parts."""

    def picture(self, url: str, detail: Any) -> Part:
        image = {"url": url}
        if isinstance(detail, str) and detail in _DETAILS:
            image["detail"] = _DETAILS[detail]
        return {"type": "image_url", "image_url": image}


def collapse(parts: list[Part]) -> str | list[Part]:
    """One string where there is only text: not every server of this shape takes lists."""
    return join_text(parts) if all(part["type"] == "text" for part in parts) else parts
