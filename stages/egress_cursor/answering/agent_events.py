"""What a run of `cursor-agent` tells, as typed events."""

from __future__ import annotations

from typing import Literal

import msgspec

Outcome = Literal["success", "rejected", "error"]


class Init(msgspec.Struct, frozen=True, kw_only=True):
    """The run has begun. `api_key_source` is `login` where the subscription pays."""

    model: str = ""
    api_key_source: str = ""
    session: str = ""


class Text(msgspec.Struct, frozen=True):
    """A piece of the answer. Every character of it comes once."""

    text: str


class Thinking(msgspec.Struct, frozen=True):
    text: str


class ThinkingDone(msgspec.Struct, frozen=True):
    pass


class ToolStarted(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor runs a tool of its own: `read`, `shell`, `edit` and so on. `about` is what it works on, in a few words."""

    call_id: str
    name: str
    about: str = ""


class ToolEnded(msgspec.Struct, frozen=True, kw_only=True):
    """`success` means that it was done, be it with a bad end: a command that failed has run all the same."""

    call_id: str
    name: str
    outcome: Outcome


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The connection to Cursor is being made again. A sign of life: idle clocks start anew."""

    what: str
    attempt: int = 0


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor asks its user something. Its standard input is closed, so it takes that for a no."""

    kind: str


class AgentUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens as Cursor counts them: what was read from its cache is not part of `input`."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The end of the turn. The process may linger behind it. `text` is the whole answer as the program tells it."""

    text: str = ""
    is_error: bool = False
    usage: AgentUsage | None = None
    subtype: str = ""


class AgentError(msgspec.Struct, frozen=True):
    """An error told as an event. Some readers of this program expect one; a result may still follow."""

    message: str


AgentEvent = Init | Text | Thinking | ThinkingDone | ToolStarted | ToolEnded | Waiting | Query | Result | AgentError
