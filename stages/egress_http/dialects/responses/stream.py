"""A Responses stream → the same stream, frame by frame, with the end that the contract promises.

A frame goes on as the bytes it came in; of most of them only `type` and `sequence_number` are read. Written anew are: frames
without a number or behind one that was, calls that have to be turned back, opaque state of others than OpenAI, and a terminal event
that a client could trip over. `[DONE]` is dropped; a bare error, an unknown end and none at all become `response.failed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ....contract.errors import Failure
from ....contract.events import TERMINAL, Event, ResponseBuilder, Usage
from ....contract.sse import Frame, encode_frame
from .. import finish, provider_errors
from ..base import Output, Passed
from . import plan, usage
from .blobs import Blobs
from .reroute import without_model
from .restore import CutCallError, Restorer

# What Codex tells apart, besides the codes of ours; a provider's other codes are sorted by what it says.
_CODES = frozenset(
    {"usage_limit_reached", "usage_not_included", "cyber_policy", "bio_policy", "misalignment_policy_violation", "slow_down"}
    | {"invalid_prompt", "model_not_found", "context_length_exceeded", "rate_limit_exceeded", "insufficient_quota", "server_error"}
    | {"content_policy_violation"}
)
_FIRST = "response.created"
_DONE = "response.output_item.done"
_SNAPSHOTS = frozenset({"response.queued", "response.in_progress"})


class _Head(msgspec.Struct):
    """As much of a frame as tells what it is."""

    type: str = ""
    sequence_number: int = -1
    object: Any = None
    error: Any = None
    message: Any = None


class _Item(msgspec.Struct):
    item: msgspec.Raw = msgspec.Raw(b"{}")


_head = msgspec.json.Decoder(_Head)
_item = msgspec.json.Decoder(_Item)


class NativeStream:
    """The `Translator` of the responses dialect. `slug` is what the answer calls its model where the upstream has another name."""

    def __init__(self, builder: ResponseBuilder, restorer: Restorer | None, blobs: Blobs, slug: str | None = None) -> None:
        self._builder = builder
        self._restorer = restorer
        self._blobs = blobs
        self._slug = slug
        self._next = 0
        self._begun = False
        self._renumber = restorer is not None
        self._own_id: str | None = None

    @property
    def ended(self) -> bool:
        return self._builder.ended

    @property
    def settled(self) -> bool:
        """The terminal event is the reason to stop and the end in one."""
        return False

    def feed(self, frame: Frame) -> Sequence[Output]:
        if self._builder.ended:
            return []
        try:
            head = _head.decode(frame.data)
        except (ValueError, RecursionError):
            return self._odd(frame.data)
        try:
            return self._frame(head, Frame(frame.event, without_model(frame.data)))
        except CutCallError:
            return self._fail(finish.CUT_CALL)

    def finish(self) -> Sequence[Output]:
        return [] if self._builder.ended else self._fail(finish.ENDED_EARLY)

    # -- frames -----------------------------------------------------------------------------------------------------

    def _odd(self, data: bytes) -> Sequence[Output]:
        if data.strip() in (b"", b"[DONE]"):
            return []
        return self._fail(finish.garbage(data))

    def _frame(self, head: _Head, frame: Frame) -> Sequence[Output]:
        if head.type in TERMINAL:
            return [*self._beginning(), *self._terminal(head, frame)]
        if head.type == "error" or (head.error and not head.type.startswith("response.")):
            error = head.error or {"code": msgspec.json.decode(frame.data).get("code"), "message": head.message}
            return self._fail(provider_errors.read_chunk_error(error))
        if head.object == "response" and not head.type:
            return self._whole(msgspec.json.decode(frame.data))
        if not head.type.startswith("response."):
            return [Passed(encode_frame(frame))] if head.type else []
        if head.type == _FIRST and not self._begun:
            return self._first(head, frame)
        return [*self._beginning(), *self._middle(head, frame)]

    def _first(self, head: _Head, frame: Frame) -> Sequence[Output]:
        """Whose response it is has to be known for a failure later on."""
        event = msgspec.json.decode(frame.data)
        response = event.get("response")
        self._begun = True
        if isinstance(response, dict):
            renamed = self._rename(response)
            self._builder.adopt(0, response)
            if renamed:
                return self._written(event)
        return self._middle(head, frame)

    def _rename(self, response: dict[str, Any]) -> bool:
        """Whether the model is called by another name now."""
        if self._slug is not None:
            response["model"] = self._slug
        return self._slug is not None

    def _beginning(self) -> Sequence[Output]:
        """For an upstream that begins in the middle."""
        if self._begun:
            return []
        self._begun = self._renumber = True
        events = self._builder.start()
        self._next, self._own_id = len(events), events[0]["response"]["id"]
        return events

    def _middle(self, head: _Head, frame: Frame) -> Sequence[Output]:
        snapshot = self._slug is not None and head.type in _SNAPSHOTS
        if not (self._renumber or snapshot) and head.sequence_number >= self._next and not self._blobs.concern(frame.data):
            self._count(head.sequence_number)
            if head.type == _DONE:
                self._builder.adopt_item(_item.decode(frame.data).item)
            return [Passed(encode_frame(Frame(head.type.encode(), frame.data)))]
        event = self._opened(frame)
        self._blobs.seal(event.get("item"))
        return [out for each in self._restored(event) for out in self._written(each)]

    def _opened(self, frame: Frame) -> Event:
        """The event inside. A response that was begun in our name goes on in it."""
        event = msgspec.json.decode(frame.data)
        response = event.get("response")
        if isinstance(response, dict):
            self._rename(response)
            if self._own_id is not None:
                response["id"] = self._own_id
        return event

    def _restored(self, event: Event) -> list[Event]:
        return self._restorer.change(event) if self._restorer else [event]

    def _written(self, event: Event) -> Sequence[Output]:
        given = event.get("sequence_number")
        if self._renumber or not isinstance(given, int) or given < self._next:
            self._renumber = True
            event["sequence_number"] = self._next
        self._count(event["sequence_number"])
        if event.get("type") == _DONE:
            self._builder.adopt_item(event.get("item"))
        return [event]

    def _count(self, number: int) -> None:
        self._next = number + 1
        self._builder.adopt(self._next)

    # -- the end ----------------------------------------------------------------------------------------------------

    def _terminal(self, head: _Head, frame: Frame) -> Sequence[Output]:
        event = self._opened(frame)
        response = event.get("response")
        if not isinstance(response, dict):
            return self._fail(finish.garbage(frame.data))
        if head.type == "response.failed":
            return self._failed(event, response)
        if head.type == "response.incomplete" and (response.get("incomplete_details") or {}).get("reason") == "content_filter":
            self._builder.adopt(self._next, response)
            return self._builder.fail(finish.FILTERED, Usage())
        changed = self._mend(response, self._blobs.concern(frame.data))
        if changed or self._renumber or head.sequence_number < self._next:
            out = self._written(event)
        else:
            out = [Passed(encode_frame(Frame(head.type.encode(), frame.data)), event)]
        self._builder.adopt(self._next, ended=True)
        return out

    def _mend(self, response: dict[str, Any], sealed: bool) -> bool:
        """Whether anything in it had to change."""
        changed = self._slug is not None
        if not usage.is_whole(response.get("usage")):
            response["usage"], changed = usage.mended(response.get("usage")), True
        if sealed or self._restorer or not response.get("output"):
            told = [msgspec.json.decode(item) if isinstance(item, msgspec.Raw) else item for item in self._builder.output]
            changed = changed or told != response.get("output")
            response["output"] = told
        return changed

    def _item(self, item: dict[str, Any]) -> Any:
        self._blobs.seal(item)
        return self._restorer.item(item) if self._restorer else item

    def _failed(self, event: Event, response: dict[str, Any]) -> Sequence[Output]:
        error = response.get("error")
        failure = provider_errors.read_chunk_error(error if error else {"message": "the provider did not say what went wrong"})
        failure = plan.explain(failure, error, {})
        code = error.get("code") if isinstance(error, dict) else None
        kept = error if isinstance(error, dict) else {}
        response["error"] = {**kept, "code": code if code in _CODES else failure.code, "message": failure.message}
        out = self._written(event)
        self._builder.adopt(self._next, ended=True)
        return out

    def _fail(self, failure: Failure) -> Sequence[Output]:
        return [*self._beginning(), *self._builder.fail(failure)]

    def _whole(self, response: dict[str, Any]) -> Sequence[Output]:
        """An answer in one piece, told as a stream."""
        self._rename(response)
        items = [self._item(item) for item in response.get("output") or [] if isinstance(item, dict)]
        self._begun = self._renumber = True
        begun = {**response, "status": "in_progress", "output": [], "usage": None, "error": None, "incomplete_details": None}
        self._builder.adopt(0, begun)
        events = [*self._builder.start(), *(event for item in items for event in self._builder.item(item))]
        self._next = len(events)
        type = f"response.{response.get('status')}"
        if type not in TERMINAL:
            return [*events, *self._builder.fail(finish.ENDED_EARLY)]
        event = {"type": type, "sequence_number": self._next, "response": response}
        response["output"] = list(self._builder.output)
        if type == "response.failed":
            return [*events, *self._failed(event, response)]
        response["usage"] = response["usage"] if usage.is_whole(response.get("usage")) else usage.mended(response.get("usage"))
        self._builder.adopt(self._next + 1, ended=True)
        return [*events, event]
