"""The reasoning an upstream wants back.

Some upstreams refuse the next request of a tool loop that lacks what their model thought. The stream keeps it in the
`encrypted_content` of reasoning items (see thought.py), and it is put back here: to the provider it came from, in the form it came
in; what is signed, to the same model only. Another provider gets open text, and only where it refuses a request without any. The
rest is left out: thinking is never shown to a model as something it said.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ....contract.envelope import Envelope, unseal
from ..base import Target
from ..ids import hashed, plain
from . import details
from .content import details_text
from .thought import CALLS, DETAILS, PART, TAGS, TEXT


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """State of one stretch of the model's turn. `data` is the field of a text, the entries, the tags, the part, or calls by id."""

    kind: Literal["text", "details", "tags", "part", "calls"]
    text: str = ""
    data: Any = None


def restore(item: dict[str, Any], target: Target) -> Kept | None:
    """What of a reasoning item this upstream can be given. None: nothing."""
    envelope = unseal(item.get("encrypted_content"))
    if envelope is None:
        return None
    kept = _read(envelope, _shown(item))
    own = envelope.provider == target.provider
    if kept is None or (kept.kind == "calls"):
        return kept if own and envelope.model == target.model else None
    if target.quirks.reasoning_back == "never":
        return None
    is_signed = kept.kind == "details" and details.signed(kept.data)
    if own and (not is_signed or envelope.model == target.model):
        return kept
    if target.quirks.reasoning_lost and not is_signed and kept.text:
        return Kept(kind="text", text=kept.text, data=target.quirks.reasoning_field)
    return None


def _read(envelope: Envelope, shown: str) -> Kept | None:
    data = envelope.data
    if envelope.kind == TEXT and shown and data in ("reasoning_content", "reasoning"):
        return Kept(kind="text", text=shown, data=data)
    if envelope.kind == DETAILS:
        entries = details.full(data, shown)
        return Kept(kind="details", text=shown or details_text(entries), data=entries)
    if envelope.kind == TAGS and isinstance(data, list) and len(data) == 2 and all(isinstance(tag, str) for tag in data):
        return Kept(kind="tags", text=shown, data=data)
    if envelope.kind == PART and isinstance(data, dict):
        return Kept(kind="part", text=shown, data=data)
    if envelope.kind == CALLS and isinstance(data, dict):
        return Kept(kind="calls", data={id if plain(id) else hashed(id): extra for id, extra in data.items()})
    return None


def _shown(item: dict[str, Any]) -> str:
    summary = item.get("summary")
    parts = summary if isinstance(summary, list) else []
    return "".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))
