"""A Responses request as the one text that `cursor-agent` reads from its standard input. Pure."""

from __future__ import annotations

from typing import Any

import msgspec


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """`text` is for standard input, `nonce` marks the tags in it and in the answer, `notes` are sentences for the log: what of the
    request could not be handed on."""

    text: str
    nonce: str
    notes: list[str]

    def encode(self) -> bytes:
        """The bytes for standard input; half characters become U+FFFD."""
        raise NotImplementedError


def nonce_of(body: dict[str, Any], secret: bytes) -> str:
    """The nonce of a conversation. The same through all its turns, so that Cursor's cache of the prompt stays good; whoever does
    not know `secret` (32 random bytes of this process) cannot guess it."""
    raise NotImplementedError


def build(body: dict[str, Any], nonce: str) -> Prompt:
    """Raises `HopError` (400) with a sentence where the request cannot be said here.

    For a compaction call it with `contract.compaction.request(body)`, which is an ordinary request.
    """
    raise NotImplementedError
