"""The same session stays with the same upstream: there lie its prompt cache and the reasoning that only it can read. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

# Codex sends the first and the last; a root thread and its sub-agents share the session. Other clients spell it as in the second.
_NAMES = ("session-id", "session_id", "thread-id")
# How a Responses service pins the requests of one turn: it sets the header, Codex repeats it.
TURN_STATE = "x-codex-turn-state"
_MOST = 4096


def session_of(headers: Mapping[str, str]) -> str:
    """Empty for a client that names none."""
    named = {name.lower(): value for name, value in headers.items() if name.lower() in _NAMES}
    return next((named[name] for name in _NAMES if named.get(name)), "")


def mark(member: str, state: str) -> str:
    """The state of a turn as the client gets it: with the name of whoever set it, so that nobody else is sent it."""
    return f"{member}:{state}"


def unmark(marked: str) -> tuple[str, str]:
    """Member and state; of what we have not marked, no member."""
    member, colon, state = marked.partition(":")
    return (member, state) if colon else ("", marked)


class Memory:
    """Who has served a session last, by the slug that it asked for. Bounded: the oldest is forgotten."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._members: OrderedDict[tuple[str, str], str] = OrderedDict()

    def recall(self, slug: str, session: str) -> str | None:
        return self._members.get((slug, session))

    def keep(self, slug: str, session: str, member: str) -> None:
        if not session:
            return
        self._members[slug, session] = member
        self._members.move_to_end((slug, session))
        if len(self._members) > self._most:
            self._members.popitem(last=False)
