"""Thought signatures: opaque text on a part, which the model wants back on the very same part.

Codex drops fields it does not know, so a signature travels in a reasoning item of its own: before the call it belongs to, or behind
the text, with how many characters at the end of that text it signs.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ....contract.envelope import Envelope, seal, unseal
from ..base import Target

KIND = "gemini"
# Documented by Google for calls whose signature is lost, e.g. because another model made them.
SKIP = "skip_thought_signature_validator"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """`at` says which part: the next call, or the last `chars` characters of the text before."""

    at: Literal["call", "text"]
    sig: str
    chars: int = 0


class Signatures:
    """Seals and restores the marks of one model."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def seal(self, mark: Mark) -> str:
        data = msgspec.to_builtins(mark)
        return seal(Envelope(kind=KIND, provider=self._target.host, model=self._target.model, data=data))

    def restore(self, item: dict[str, Any]) -> Mark | None:
        """None for reasoning that holds no signature of this very model."""
        envelope = unseal(item.get("encrypted_content"))
        if envelope is None or (envelope.kind, envelope.provider, envelope.model) != (KIND, self._target.host, self._target.model):
            return None
        try:
            return msgspec.convert(envelope.data, Mark)
        except msgspec.ValidationError:
            return None
