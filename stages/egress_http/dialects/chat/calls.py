"""Tool calls, put together from their deltas.

Servers disagree on everything here: the index may be missing, or 0 for every call; ids and names come once, on every chunk, or
not at all; arguments are pieces of text or one object. `Assembly` decides which call a delta belongs to. Names are never joined
from pieces, since no server is known to cut them and several repeat them.
"""

from __future__ import annotations

import re
from typing import Any

from ..parts import as_json
from .chunks import ToolDelta

_STRUCTURE = re.compile(r'["{}\[\]]')
_IN_STRING = re.compile(r'["\\]')


class Call:
    """One call so far. `id` is the server's, and may be missing; `extra` is what the server wants back with the call."""

    __slots__ = ("_balance", "_scanned", "extra", "id", "name", "pieces")

    def __init__(self) -> None:
        self.id: Any = None
        self.name = ""
        self.extra: Any = None
        self.pieces: list[str] = []
        self._balance = _Balance()
        self._scanned = 0

    def complete(self) -> bool:
        """The arguments so far are one whole JSON object. Each piece is looked at once."""
        for piece in self.pieces[self._scanned :]:
            self._balance.feed(piece)
        self._scanned = len(self.pieces)
        return self._balance.closed


class Assembly:
    """The calls of one answer."""

    def __init__(self) -> None:
        self._last: Call | None = None
        self._by_index: dict[Any, Call] = {}
        self._by_id: dict[Any, Call] = {}

    def belongs_to(self, delta: ToolDelta) -> Call:
        """The call that this delta begins or goes on with. Its name and id are taken up; its arguments are the caller's to add."""
        name = delta.function.name if delta.function else None
        name = name if isinstance(name, str) else ""
        id = delta.id if isinstance(delta.id, (str, int)) else None
        call = self._known(delta.index, id, name)
        if call is None or _begins_another(call, id, name, delta):
            call = Call()
        self._remember(call, delta.index, id, name)
        call.extra = delta.extra_content or call.extra
        return call

    def _known(self, index: Any, id: Any, name: str) -> Call | None:
        if isinstance(index, (int, float, str)):
            return self._by_index.get(index)
        if id:
            return self._by_id.get(id) or (None if name or self._last is None or self._last.id else self._last)
        return self._last

    def _remember(self, call: Call, index: Any, id: Any, name: str) -> None:
        call.id = call.id or id
        call.name = call.name or name
        if isinstance(index, (int, float, str)):
            self._by_index[index] = call
        if id:
            self._by_id[id] = call
        self._last = call


def arguments_of(delta: ToolDelta) -> str:
    """The piece of arguments a delta carries; an object counts as its JSON text."""
    value = delta.function.arguments if delta.function else None
    if value is None or isinstance(value, str):
        return value or ""
    return as_json(value)


def _begins_another(call: Call, id: Any, name: str, delta: ToolDelta) -> bool:
    """A new call where another was expected to go on: only with a name, and only where the old one cannot go on."""
    if not name or not call.name:
        return False
    if (id and call.id and id != call.id) or name != call.name:
        return True
    return bool(arguments_of(delta)) and call.complete()


class _Balance:
    """Whether the text so far is one closed JSON object, by its brackets and quotes."""

    __slots__ = ("_depth", "_escaped", "_quoted", "closed")

    def __init__(self) -> None:
        self._depth = 0
        self._quoted = False
        self._escaped = False
        self.closed = False

    def feed(self, text: str) -> None:
        at = 0
        while at < len(text):
            at = self._string(text, at) if self._quoted else self._structure(text, at)

    def _string(self, text: str, at: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        match = _IN_STRING.search(text, at)
        if match is None:
            return len(text)
        self._escaped = match[0] == "\\"
        self._quoted = self._escaped
        return match.end()

    def _structure(self, text: str, at: int) -> int:
        match = _STRUCTURE.search(text, at)
        if match is None:
            return len(text)
        if match[0] == '"':
            self._quoted = True
        else:
            self._depth += 1 if match[0] in "{[" else -1
            self.closed = match[0] == "}" and self._depth == 0
        return match.end()
