"""What a scripted upstream answers: the steps of one answer, and short ways to write the usual chat completions.

    Answer(chunk(content="Hel"), Wait(gate), chunk(content="lo"), finish("stop"), DONE)

A step is a dict (one `data:` frame), bytes (as they are), or one of the actions below. A body that is not a stream is one bytes
step with `headers={"content-type": …}`; an answer whose steps are all out ends cleanly.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scripted_upstream import Gate

DONE = b"data: [DONE]\n\n"


class Wait:
    """Go on when the gate is opened; the gate tells when this point was reached."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate


class Close:
    """Close the connection here, in good order, with the body unfinished."""


class Reset:
    """Cut the connection here with a TCP reset."""


class Silence:
    """Say nothing more; the answer ends when the client leaves."""


Step = dict[str, Any] | bytes | Wait | Close | Reset | Silence


class Answer:
    """One scripted answer. With `before_head` steps, something happens before even the status line is out."""

    def __init__(
        self, *steps: Step, status: int = 200, headers: dict[str, str] | None = None, before_head: tuple[Step, ...] = ()
    ) -> None:
        self.steps = steps
        self.status = status
        self.headers = {"content-type": "text/event-stream", **(headers or {})}
        self.before_head = before_head

    @property
    def body(self) -> bytes:
        """All of it, where nothing happens in between."""
        return b"".join(_wire(step) for step in self.steps)


def _wire(step: Step) -> bytes:
    assert isinstance(step, dict | bytes)
    return step if isinstance(step, bytes) else b"data: " + json.dumps(step).encode() + b"\n\n"


def chunk(finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    """One chat completion chunk: `chunk(content="Hi")`, `chunk(reasoning_content="Hm")`, `chunk(tool_calls=[…])`."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [choice]}


def finish(reason: str, prompt_tokens: int = 10, completion_tokens: int = 5) -> dict[str, Any]:
    """The last chunk: why the model stopped, and the usage."""
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    return {**chunk(reason), "usage": {**usage, "total_tokens": prompt_tokens + completion_tokens}}


def call(name: str, arguments: dict[str, Any] | str, call_id: str = "call_1", index: int = 0) -> dict[str, Any]:
    """A whole tool call in one chunk."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    function = {"name": name, "arguments": text}
    return chunk(tool_calls=[{"index": index, "id": call_id, "type": "function", "function": function}])


def says(*words: str) -> Answer:
    """A complete answer of text, one chunk per word given."""
    return Answer(*[chunk(content=word) for word in words], finish("stop"), DONE)


def calls(*made: dict[str, Any]) -> Answer:
    """A complete answer of tool calls: `calls(call("exec_command", {"cmd": "ls"}))`."""
    return Answer(*made, finish("tool_calls"), DONE)


def refuses(status: int, body: dict[str, Any] | bytes, headers: dict[str, str] | None = None) -> Answer:
    """An error answer: JSON for a dict, an HTML page for bytes that look like one."""
    if isinstance(body, dict):
        return Answer(json.dumps(body).encode(), status=status, headers={"content-type": "application/json", **(headers or {})})
    kind = "text/html" if body.lstrip().startswith(b"<") else "text/plain"
    return Answer(body, status=status, headers={"content-type": kind, **(headers or {})})
