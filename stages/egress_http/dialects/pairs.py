"""Which output answers which call, and the ids calls go by upstream.

Codex's call ids are any strings, and histories that came by way of another upstream may use one twice. Upstreams want them short,
plain and unique. An id that already is all this stays as it is; another becomes a hash of itself, so that it is the same each time.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Literal

from .ids import hashed, hashed_nine, nine, plain

CALLS = frozenset({"function_call", "custom_tool_call", "tool_search_call", "local_shell_call", "shell_call", "apply_patch_call"})
OUTPUTS = frozenset(
    {
        "function_call_output",
        "custom_tool_call_output",
        "tool_search_output",
        "local_shell_call_output",
        "shell_call_output",
        "apply_patch_call_output",
    }
)


class Pairs:
    """Asked by position in `input`. `call_ids` are the ids of the calls as the client knows them."""

    def __init__(self, items: list[Any], shape: Literal["plain", "nine"] = "plain") -> None:
        self._fits, self._hash = (nine, hashed_nine) if shape == "nine" else (plain, hashed)
        self.call_ids: set[str] = set()
        self._wire: dict[int, str] = {}
        self._answered: set[int] = set()
        self._used: set[str] = set()
        self._open: dict[str, deque[int]] = {}
        for index, item in enumerate(items):
            type = type_of(item)
            if type in CALLS:
                self._take_call(index, _id_of(item))
            elif type in OUTPUTS:
                self._take_output(index, _id_of(item))

    def id(self, index: int) -> str | None:
        """The upstream id of a call, or of the call that an output answers. None for an output that answers none."""
        return self._wire.get(index)

    def answered(self, index: int) -> bool:
        return index in self._answered

    def _take_call(self, index: int, call_id: str) -> None:
        self.call_ids.add(call_id)
        self._wire[index] = self._unused(call_id)
        self._open.setdefault(call_id, deque()).append(index)

    def _take_output(self, index: int, call_id: str) -> None:
        waiting = self._open.get(call_id)
        if waiting:
            call = waiting.popleft()
            self._answered.add(call)
            self._wire[index] = self._wire[call]

    def _unused(self, call_id: str) -> str:
        wire = call_id if self._fits(call_id) else self._hash(call_id)
        again = 1
        while wire in self._used:
            again += 1
            wire = self._hash(f"{call_id}#{again}")
        self._used.add(wire)
        return wire


def type_of(item: Any) -> str | None:
    """A message may come without its type."""
    type = item.get("type") or ("message" if "role" in item else None) if isinstance(item, dict) else None
    return type if isinstance(type, str) else None


def _id_of(item: dict[str, Any]) -> str:
    """`call_id`; old local shell outputs carry it as `id`."""
    id = item.get("call_id") or item.get("id")
    return id if isinstance(id, str) else ""
