"""What `cursor-agent` writes to its standard output, as typed events. Pure: bytes in, events out.

One JSON object per line (`--output-format stream-json --stream-partial-output`). `AgentOutput` never raises: whatever the program
writes that is no event is counted in `counts` and passed over.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Outcome = Literal["success", "rejected", "error"]

LINE_LIMIT = 32 * 1024 * 1024


class Init(msgspec.Struct, frozen=True, kw_only=True):
    """The run has begun. `api_key_source` is `login` where the subscription pays."""

    model: str = ""
    api_key_source: str = ""
    session: str = ""


class Text(msgspec.Struct, frozen=True):
    """A piece of the answer, given out once. `closes` says that the segment ends here: the next text is another paragraph."""

    text: str


class TextEnd(msgspec.Struct, frozen=True):
    """A segment of text is over: a tool of Cursor's own follows, or the end."""


class Thinking(msgspec.Struct, frozen=True):
    text: str


class ThinkingDone(msgspec.Struct, frozen=True):
    pass


class ToolStarted(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor runs a tool of its own. `name` is `read`, `shell`, `edit` … as its key says; `about` is what it works on, in a few words."""

    call_id: str
    name: str
    about: str = ""


class ToolEnded(msgspec.Struct, frozen=True, kw_only=True):
    call_id: str
    name: str
    outcome: Outcome


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The connection to Cursor is being made again. A sign of life: idle clocks start anew."""

    what: str
    attempt: int = 0


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor asks its user something. Standard input is closed, so it is taken as refused."""

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


class ErrorEvent(msgspec.Struct, frozen=True):
    """An error told as an event. Only the documentation of other readers knows of it."""

    message: str


AgentEvent = Init | Text | TextEnd | Thinking | ThinkingDone | ToolStarted | ToolEnded | Waiting | Query | Result | ErrorEvent


class AgentOutput:
    """Bytes of standard output, cut anywhere, in; events out. `counts` is for the log: noise, unknown, drift, too_long, prompts."""

    def __init__(self, line_limit: int = LINE_LIMIT) -> None:
        self.counts: dict[str, int] = {}

    def feed(self, chunk: bytes) -> list[AgentEvent]:
        raise NotImplementedError

    def finish(self) -> list[AgentEvent]:
        """The output is over; a last line without its end still counts."""
        raise NotImplementedError
