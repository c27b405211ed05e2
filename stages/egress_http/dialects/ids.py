"""Call ids: what upstreams take, and new ones for calls that came without one of their own."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from .parts import as_json

LIMIT = 40  # OpenAI's; the others take longer ones
_NINE = re.compile(r"[a-zA-Z0-9]{9}")
_PLAIN = re.compile(rf"[a-zA-Z0-9_-]{{1,{LIMIT}}}")


def plain(call_id: str) -> bool:
    """Every upstream takes this id as it is."""
    return _PLAIN.fullmatch(call_id) is not None


def hashed(text: str) -> str:
    """An id that is the same for the same text."""
    return "call_" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


def nine(call_id: str) -> bool:
    """Mistral takes this id as it is."""
    return _NINE.fullmatch(call_id) is not None


def hashed_nine(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:9]


class CallIds:
    """Gives every call of an answer an id that is new to the conversation: Codex mixes up the outputs of calls that share one.

    Some servers leave ids out, or begin at `call_0` in every answer. An id made here follows from the last message and the place of
    the call, so the same answer to the same request gets the same ids.
    """

    def __init__(self, taken: set[str], messages: list[dict[str, Any]]) -> None:
        self._taken = set(taken)
        self._messages = messages
        self._made = 0

    def take(self, given: Any) -> str:
        id = str(given) if isinstance(given, (str, int)) and given != "" else ""
        while not id or id in self._taken:
            self._made += 1
            id = hashed(f"{len(self._messages)}/{self._made}/{as_json(self._messages[-1:])}")
        self._taken.add(id)
        return id
