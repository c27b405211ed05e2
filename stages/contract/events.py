"""How a Responses stream is put together.

`ResponseBuilder` is the only place that knows the order of events: created → in_progress → items, one open at a time → exactly one
terminal event. A translator tells it what came from upstream and hands on the events it gets back. It is pure: ids and the
creation time come from its caller, so the same calls give the same events.

Sources: the OpenAI streaming reference; what Codex does with each event is in docs/hop-contract.md. Two rules follow from Codex
and not from the reference: a call's `output_item.done` is sent only when the call is complete (Codex runs it at once), and an item
that a failure cuts off gets no `done` at all (Codex would keep the half of it and ask again).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from .errors import CONTENT_POLICY, CONTEXT_OVERFLOW, INVALID_REQUEST, MODEL_NOT_FOUND, QUOTA, RATE_LIMITED, SERVER_ERROR, Failure

Event = dict[str, Any]
Item = dict[str, Any]
CallKind = Literal["function_call", "custom_tool_call"]

TERMINAL = frozenset({"response.completed", "response.failed", "response.incomplete"})

_PREFIX = {"function_call": "fc", "custom_tool_call": "ctc", "message": "msg", "reasoning": "rs", "response": "resp"}
_ARGUMENTS = {
    "function_call": ("response.function_call_arguments", "arguments"),
    "custom_tool_call": ("response.custom_tool_call_input", "input"),
}


def random_id(prefix: str) -> str:
    """`msg_…`. Codex gives items back with their ids only where the prefix is the right one for the item."""
    return f"{prefix}_{secrets.token_hex(16)}"


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one response. `input` includes `cached` and `cache_write`; `output` includes `reasoning`."""

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0

    def wire(self) -> dict[str, Any]:
        """All totals and details, always: Codex repeats the whole turn where one is missing."""
        return {
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": self.cached, "cache_write_tokens": self.cache_write},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.input + self.output,
        }


class _Open:
    """The item that deltas go to now."""

    __slots__ = ("index", "item", "pieces")

    def __init__(self, item: Item, index: int) -> None:
        self.item = item
        self.index = index
        self.pieces: list[str] = []


class ResponseBuilder:
    """Turns what a model does into the events of one response. Every method returns the events to send, in order."""

    def __init__(self, model: str, created_at: int, new_id: Callable[[str], str] = random_id) -> None:
        self._new_id = new_id
        self._sequence = 0
        self._open: _Open | None = None
        self._output: list[Item] = []
        self._ended = False
        self._response: dict[str, Any] = {
            "id": new_id("resp"),
            "object": "response",
            "created_at": created_at,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "model": model,
            "output": [],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": None,
        }

    @property
    def ended(self) -> bool:
        return self._ended

    @property
    def output(self) -> list[Item]:
        """The items that are done."""
        return self._output

    @property
    def open_type(self) -> str | None:
        """The type of the item that deltas go to now."""
        return self._open.item["type"] if self._open else None

    def start(self) -> list[Event]:
        snapshot = dict(self._response)
        return [self._event("response.created", response=snapshot), self._event("response.in_progress", response=snapshot)]

    def adopt(self, next_number: int, response: dict[str, Any] | None = None, *, ended: bool = False) -> None:
        """The events so far were somebody else's: go on in the name of their `response`, with `next_number`."""
        self._sequence = next_number
        self._ended = self._ended or ended
        if response is not None:
            self._response = {**self._response, **response}

    def adopt_item(self, item: Any) -> None:
        """An item that somebody else has finished; `msgspec.Raw` where nobody needs to look inside."""
        self._output.append(item)

    def adopt_open(self, item: Item, index: int, pieces: list[str]) -> None:
        """A message that somebody else has opened, with its text so far: it is the one to go on with."""
        self._open = _Open({**item}, index)
        self._open.pieces += pieces

    def text(self, delta: str) -> list[Event]:
        """A piece of the answer; opens a message where none is open."""
        events = [] if self.open_type == "message" else [*self.close(), *self._open_message()]
        current = self._current()
        current.pieces.append(delta)
        number, self._sequence = self._sequence, self._sequence + 1
        events.append(
            {  # the same as `_delta` would make: this is the one event that comes by the thousand
                "type": "response.output_text.delta",
                "sequence_number": number,
                "item_id": current.item["id"],
                "output_index": current.index,
                "content_index": 0,
                "logprobs": [],
                "delta": delta,
            }
        )
        return events

    def reasoning(self, delta: str) -> list[Event]:
        """A piece of visible thinking; opens a reasoning item where none is open."""
        events = [] if self.open_type == "reasoning" else [*self.close(), *self._open_reasoning()]
        current = self._current()
        if not current.pieces:
            events.append(self._part("response.reasoning_summary_part.added", "summary_index", _summary("")))
        current.pieces.append(delta)
        events.append(self._delta("response.reasoning_summary_text.delta", delta, summary_index=0))
        return events

    def seal_reasoning(self, encrypted_content: str | None) -> list[Event]:
        """Close the open reasoning item, or make an empty one, with the provider's opaque state inside."""
        events = [] if self.open_type == "reasoning" else [*self.close(), *self._open_reasoning()]
        self._current().item["encrypted_content"] = encrypted_content
        return [*events, *self.close()]

    def call(self, kind: CallKind, call_id: str, name: str, namespace: str | None = None) -> list[Event]:
        """Open a tool call. It stays open until `end_call`; a failure in between drops it."""
        item: Item = {"type": kind, "id": self._new_id(_PREFIX[kind]), "call_id": call_id, "name": name}
        if namespace:
            item["namespace"] = namespace
        item["status"] = "in_progress"
        item[_ARGUMENTS[kind][1]] = ""
        return [*self.close(), self._added(item)]

    def call_delta(self, delta: str) -> list[Event]:
        """A piece of the open call's arguments or input: display only, the truth comes with `end_call`."""
        return [self._delta(_ARGUMENTS[self._current().item["type"]][0] + ".delta", delta)]

    def end_call(self, value: str) -> list[Event]:
        """The open call is complete: `value` is its whole arguments (JSON text) or input (raw text)."""
        current = self._current()
        event, field = _ARGUMENTS[current.item["type"]]
        current.item[field] = value
        return [self._event(event + ".done", **self._place(), **{field: value}), self._done()]

    def item(self, item: Item) -> list[Event]:
        """A whole item at once, e.g. a `compaction`."""
        return [*self.close(), self._added(item), self._done(item.get("status", "completed") if "status" in item else None)]

    def close(self) -> list[Event]:
        """Finish the open message or reasoning item, if there is one. An open call is nobody's to close but `end_call`'s."""
        if self._open is None:
            return []
        text = "".join(self._open.pieces)
        if self._open.item["type"] == "message":
            return self._close_message(text)
        if self._open.item["type"] == "reasoning":
            return self._close_reasoning(text)
        raise RuntimeError("a tool call is open; end it or fail the response")

    def complete(self, usage: Usage | None = None) -> list[Event]:
        return [*self.close(), self._end("completed", usage or Usage())]

    def incomplete(self, reason: str, usage: Usage | None = None) -> list[Event]:
        """The model stopped before it was done, e.g. `max_output_tokens`. Text is kept; an open call is dropped."""
        events = self.close() if self.open_type in ("message", "reasoning") else []
        self._open = None
        self._response["incomplete_details"] = {"reason": reason}
        return [*events, self._end("incomplete", usage or Usage())]

    def fail(self, failure: Failure, usage: Usage | None = None) -> list[Event]:
        """Whatever is open is dropped without `done`."""
        self._open = None
        self._response["error"] = stream_error(failure)
        return [self._end("failed", usage)]

    # -- one item ---------------------------------------------------------------------------------------------------

    def _open_message(self) -> list[Event]:
        item = {"type": "message", "id": self._new_id("msg"), "status": "in_progress", "role": "assistant", "content": []}
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        return [self._added(item), self._part("response.content_part.added", "content_index", part)]

    def _open_reasoning(self) -> list[Event]:
        return [self._added({"type": "reasoning", "id": self._new_id("rs"), "summary": [], "encrypted_content": None})]

    def _close_message(self, text: str) -> list[Event]:
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        self._current().item["content"] = [part]
        return [
            self._event("response.output_text.done", **self._place(), content_index=0, text=text, logprobs=[]),
            self._part("response.content_part.done", "content_index", part),
            self._done(),
        ]

    def _close_reasoning(self, text: str) -> list[Event]:
        if not self._current().pieces:
            return [self._done(None)]
        part = _summary(text)
        self._current().item["summary"] = [part]
        return [
            self._event("response.reasoning_summary_text.done", **self._place(), summary_index=0, text=text),
            self._part("response.reasoning_summary_part.done", "summary_index", part),
            self._done(None),
        ]

    def _added(self, item: Item) -> Event:
        self._open = _Open(item, len(self._output))
        return self._event("response.output_item.added", output_index=self._open.index, item=dict(item))

    def _done(self, status: str | None = "completed") -> Event:
        current = self._current()
        if status is not None:
            current.item["status"] = status
        self._output.append(current.item)
        self._open = None
        return self._event("response.output_item.done", output_index=current.index, item=current.item)

    # -- events -----------------------------------------------------------------------------------------------------

    def _current(self) -> _Open:
        if self._open is None:
            raise RuntimeError("no item is open")
        return self._open

    def _place(self) -> dict[str, Any]:
        current = self._current()
        return {"item_id": current.item["id"], "output_index": current.index}

    def _delta(self, type: str, delta: str, **fields: Any) -> Event:
        return self._event(type, **self._place(), **fields, delta=delta)

    def _part(self, type: str, index_name: str, part: dict[str, Any]) -> Event:
        return self._event(type, **self._place(), **{index_name: 0}, part=part)

    def _event(self, type: str, **fields: Any) -> Event:
        number = self._sequence
        self._sequence += 1
        return {"type": type, "sequence_number": number, **fields}

    def _end(self, status: str, usage: Usage | None) -> Event:
        self._ended = True
        self._response.update(status=status, output=self._output, usage=usage.wire() if usage else None)
        return self._event("response." + status, response=self._response)


def _summary(text: str) -> dict[str, str]:
    return {"type": "summary_text", "text": text}


def stream_error(failure: Failure) -> dict[str, Any]:
    """The `error` of a `response.failed`."""
    return {"code": stream_code(failure), "message": failure.message}


# What may stand in `response.failed`. Others become the code that makes a client do the same.
_STREAM_CODES = frozenset({INVALID_REQUEST, MODEL_NOT_FOUND, CONTEXT_OVERFLOW, RATE_LIMITED, QUOTA, SERVER_ERROR, CONTENT_POLICY})


def stream_code(failure: Failure) -> str:
    """The `response.failed` code for a failure: its own where that is one of ours, else by whose fault the status says it is."""
    if failure.code in _STREAM_CODES:
        return failure.code
    if failure.status == 429:
        return RATE_LIMITED
    return INVALID_REQUEST if 400 <= failure.status < 500 and failure.status != 408 else SERVER_ERROR
