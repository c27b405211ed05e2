"""What `cursor-agent` writes to its standard output, as typed events. Pure: bytes in, events out.

One JSON object per line (`--output-format stream-json --stream-partial-output`). `AgentOutput` never raises: what the program
writes besides events is counted and passed over, and fields of another type than expected count as missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from ...contract.body import UNREADABLE
from .agent_events import (
    AgentError,
    AgentEvent,
    AgentUsage,
    Init,
    Query,
    Result,
    Text,
    Thinking,
    ThinkingDone,
    ToolEnded,
    ToolStarted,
    Waiting,
)
from .lines import Lines
from .own_tools import about, call_in, outcome_of
from .segments import Segments

T = TypeVar("T")

LINE_LIMIT = 32 * 1024 * 1024

_ANSI = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_BEFORE = re.compile(rb"(?:\s|\xef\xbb\xbf|\xe2\x80\x8b)*(?:\[?stdout\]?:?\s*)?")


class _Line(msgspec.Struct):
    """As much of a line as its type needs. What is `Raw` is not looked into before that is known."""

    type: Any = None
    subtype: Any = None
    message: msgspec.Raw = msgspec.Raw(b"null")
    tool_call: msgspec.Raw = msgspec.Raw(b"null")
    result: msgspec.Raw = msgspec.Raw(b"null")
    text: Any = None
    error: Any = None
    call_id: Any = None
    timestamp_ms: Any = None
    model_call_id: Any = None
    model: Any = None
    apiKeySource: Any = None
    session_id: Any = None
    attempt: Any = None
    query_type: Any = None
    is_error: Any = None
    usage: Any = None


_lines = msgspec.json.Decoder(_Line)


class AgentOutput:
    """Bytes of standard output, cut anywhere, in; events out.

    `counts` is for the log: `noise` (no JSON object), `unknown` (types), `drift` (snapshots that contradict), `too_long` (lines),
    `prompts` (the echo of what was asked, which is never decoded).
    """

    def __init__(self, line_limit: int = LINE_LIMIT) -> None:
        self._lines = Lines(line_limit)
        self._segments = Segments()
        self._names: dict[str, str] = {}
        self._noise = self._unknown = self._prompts = 0

    @property
    def counts(self) -> dict[str, int]:
        counts = {
            "noise": self._noise,
            "unknown": self._unknown,
            "drift": self._segments.drift,
            "too_long": self._lines.too_long,
            "prompts": self._prompts,
        }
        return {name: count for name, count in counts.items() if count}

    def feed(self, chunk: bytes) -> list[AgentEvent]:
        return [event for line in self._lines.feed(chunk) for event in self._line(line)]

    def finish(self) -> list[AgentEvent]:
        """The output is over; a last line without its end still counts."""
        return [event for line in self._lines.finish() for event in self._line(line)]

    def _line(self, raw: bytes) -> list[AgentEvent]:
        line = _decode(raw)
        if line is None:
            self._noise += bool(raw.strip())
            return []
        reader = _READERS.get(line.type) if isinstance(line.type, str) else None
        if reader is None:
            self._unknown += 1
            return []
        return reader(self, line)

    # -- one method per type ----------------------------------------------------------------------------------------

    def _system(self, line: _Line) -> list[AgentEvent]:
        if line.subtype == "init":
            return [Init(model=_str(line.model), api_key_source=_str(line.apiKeySource), session=_str(line.session_id))]
        if line.subtype == "error":
            return self._error(line)
        self._unknown += 1
        return []

    def _user(self, line: _Line) -> list[AgentEvent]:
        self._prompts += 1
        return []

    def _thinking(self, line: _Line) -> list[AgentEvent]:
        if line.subtype == "completed":
            return [ThinkingDone()]
        text = _str(line.text)
        return [Thinking(text)] if text else []

    def _assistant(self, line: _Line) -> list[AgentEvent]:
        text = _text_of(_value(line.message))
        is_delta = line.timestamp_ms is not None and line.model_call_id is None
        return _said(self._segments.delta(text) if is_delta else self._segments.snapshot(text)) if text else []

    def _tool_call(self, line: _Line) -> list[AgentEvent]:
        id = _str(line.call_id).partition("\n")[0]
        name, call = call_in(line.tool_call)
        if line.subtype == "started":
            self._segments.tool()
            self._names[id] = name
            return [ToolStarted(call_id=id, name=name, about=about(call))]
        if line.subtype != "completed":
            self._unknown += 1
            return []
        name = name or self._names.get(id, "")
        return [ToolEnded(call_id=id, name=name, outcome=outcome_of(name, call))]

    def _waiting(self, line: _Line) -> list[AgentEvent]:
        return [Waiting(what=f"{line.type} {_str(line.subtype)}".strip(), attempt=_count(line.attempt))]

    def _query(self, line: _Line) -> list[AgentEvent]:
        return [Query(kind=_str(line.query_type))]

    def _result(self, line: _Line) -> list[AgentEvent]:
        """The text of an error is no answer."""
        text, failed = _str(_value(line.result)), line.is_error is True
        said = [] if failed else _said(self._segments.result(text))
        return [*said, Result(text=text, is_error=failed, usage=_usage(line.usage), subtype=_str(line.subtype))]

    def _error(self, line: _Line) -> list[AgentEvent]:
        told = [_value(line.message), line.error, line.text]
        told += [value.get("message") for value in told if isinstance(value, dict)]
        return [AgentError(next((value for value in told if isinstance(value, str)), ""))]


_READERS: dict[str, Callable[[AgentOutput, _Line], list[AgentEvent]]] = {
    "system": AgentOutput._system,
    "user": AgentOutput._user,
    "thinking": AgentOutput._thinking,
    "assistant": AgentOutput._assistant,
    "tool_call": AgentOutput._tool_call,
    "connection": AgentOutput._waiting,
    "retry": AgentOutput._waiting,
    "interaction_query": AgentOutput._query,
    "result": AgentOutput._result,
    "error": AgentOutput._error,
}


def _decode(raw: bytes) -> _Line | None:
    if b"\x1b" in raw:
        raw = _ANSI.sub(b"", raw)
    before = _BEFORE.match(raw)
    at = before.end() if before else 0
    if raw[at : at + 1] != b"{":
        return None
    return _read(memoryview(raw)[at:], _lines.decode)


def _value(raw: msgspec.Raw) -> Any:
    return _read(memoryview(raw), msgspec.json.decode)


def _read(raw: memoryview, decode: Callable[[Any], T]) -> T | None:
    """Bytes that are no UTF-8 and halves of characters become U+FFFD; such a line is still better than none."""
    try:
        return decode(raw)
    except UNREADABLE:
        pass
    try:
        text = json.dumps(json.loads(bytes(raw).decode("utf-8", "replace"), strict=False), ensure_ascii=False)
        return decode(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode())
    except (ValueError, RecursionError):
        return None


def _text_of(message: Any) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join([_str(part.get("text")) for part in parts if isinstance(part, dict)])


def _said(text: str) -> list[AgentEvent]:
    return [Text(text)] if text else []


def _usage(usage: Any) -> AgentUsage | None:
    """None where the program does not tell: builds of early 2026 do not."""
    if not isinstance(usage, dict):
        return None
    names = {"input": "inputTokens", "output": "outputTokens", "cache_read": "cacheReadTokens", "cache_write": "cacheWriteTokens"}
    return AgentUsage(**{field: _count(usage.get(name)) for field, name in names.items()})


def _str(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int:
    """A number of something; 0 for what is none."""
    return max(0, int(value)) if isinstance(value, int | float) and -1e15 < value < 1e15 else 0
