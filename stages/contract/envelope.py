"""Opaque provider state inside `reasoning.encrypted_content`, in an envelope of ours.

Some providers must get back, next turn, what their model thought: signed blocks, signatures, reasoning text. Codex keeps
`encrypted_content` verbatim, in place, across resume and a switch of model, so that is where the state travels: a hop keeps none
itself. The envelope says what is inside and whose it is; what belongs to another provider is left out, never sent.

It is an encoding, not a secret, and the same content always gives the same text: prompt caches depend on it.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

import msgspec

PREFIX = "csh1."
# Below this, compression saves nothing worth its byte of complexity for a reader of logs.
_COMPRESS_FROM = 512


class Envelope(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "k", "provider": "p", "model": "m", "data": "d"}):
    """`kind` says how to read `data`; `provider` and `model` (the upstream's names) say who can take it back."""

    kind: str
    provider: str = ""
    model: str = ""
    data: Any = None


def seal(envelope: Envelope) -> str:
    """The text for `encrypted_content` of a reasoning item or a compaction."""
    raw = msgspec.json.encode(envelope)
    mark = b"j"
    if len(raw) >= _COMPRESS_FROM:
        raw, mark = zlib.compress(raw, 6), b"z"
    return PREFIX + base64.urlsafe_b64encode(mark + raw).decode()


def unseal(text: Any) -> Envelope | None:
    """None for what is not ours, or is ours and damaged."""
    if not isinstance(text, str) or not text.startswith(PREFIX):
        return None
    try:
        packed = base64.urlsafe_b64decode(text[len(PREFIX) :])
        raw = zlib.decompress(packed[1:]) if packed[:1] == b"z" else packed[1:]
        return msgspec.json.decode(raw, type=Envelope)
    except (ValueError, binascii.Error, zlib.error, msgspec.DecodeError, msgspec.ValidationError):
        return None


def is_ours(text: Any) -> bool:
    """Whether some version of ours wrote it, readable or not."""
    return isinstance(text, str) and text.startswith("csh")
