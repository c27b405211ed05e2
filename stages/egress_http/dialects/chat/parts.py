"""Content parts: Responses → chat, which knows text and images."""

from __future__ import annotations

from typing import Any

from .. import parts
from ..parts import Part, join_text

_DETAILS = ("low", "high", "auto", "original")


class PartReader(parts.PartReader):
    """Gives chat's `text` and `image_url` parts."""

    def picture(self, url: str, detail: Any) -> Part:
        image = {"url": url}
        taken = self._target.quirks.image_detail
        if detail in _DETAILS and taken != "drop":
            image["detail"] = "high" if detail == "original" and taken != "original" else detail
        return {"type": "image_url", "image_url": image}


def collapse(parts: list[Part]) -> str | list[Part]:
    """One string where there is only text: not every server of this shape takes lists."""
    return join_text(parts) if all(part["type"] == "text" for part in parts) else parts
