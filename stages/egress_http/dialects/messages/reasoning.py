"""Thinking blocks, there and back.

A signed block goes back to the very model that made it, byte for byte, or not at all: altered ones and other models' are refused.
The block travels in the `encrypted_content` of a reasoning item. Its text is in the item's summary too, where users see it, but
what goes back is the block from the envelope, whatever became of the summary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....contract.envelope import Envelope, seal, unseal
from ..base import Target
from .models import traits_of

KIND = "anthropic"
TYPES = frozenset({"thinking", "redacted_thinking"})


def sealed(target: Target, block: dict[str, Any]) -> str:
    """The `encrypted_content` that holds a block."""
    return seal(Envelope(kind=KIND, provider=target.provider, model=target.model, data=block))


def thinking(text: str, signature: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": signature}


def redacted(data: str) -> dict[str, Any]:
    return {"type": "redacted_thinking", "data": data}


def restorer(target: Target) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    """Reads a reasoning item: the block that this target may be given back, or None."""
    checked = traits_of(target.model).claude

    def restore(item: dict[str, Any]) -> dict[str, Any] | None:
        envelope = unseal(item.get("encrypted_content"))
        if envelope is None or (envelope.kind, envelope.provider, envelope.model) != (KIND, target.provider, target.model):
            return None
        return _block(envelope.data, checked)

    return restore


def _block(data: Any, checked: bool) -> dict[str, Any] | None:
    """Other makers' models sign nothing; a Claude refuses what is not signed."""
    if not isinstance(data, dict):
        return None
    text, signature, opaque = data.get("thinking"), data.get("signature"), data.get("data")
    if data.get("type") == "redacted_thinking" and isinstance(opaque, str) and opaque:
        return redacted(opaque)
    if data.get("type") != "thinking" or not isinstance(text, str) or not isinstance(signature, str):
        return None
    return None if checked and not signature else thinking(text, signature)
