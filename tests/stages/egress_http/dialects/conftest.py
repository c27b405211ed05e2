"""What the dialect tests share: predictable ids, one way to run a stream, and a reader stricter than any client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.events import TERMINAL, Event, ResponseBuilder
from codex_shim.stages.contract.sse import Frame, SSEDecoder
from codex_shim.stages.egress_http.dialects import DIALECTS, Prepared, Target
from codex_shim.stages.egress_http.dialects.base import Output, Passed

_ARGUMENTS = {
    "function_call": ("response.function_call_arguments", "arguments"),
    "custom_tool_call": ("response.custom_tool_call_input", "input"),
}


def make_builder() -> ResponseBuilder:
    """Ids count up by their prefix: `msg_1`, `msg_2`."""
    counts: Counter[str] = Counter()

    def new_id(prefix: str) -> str:
        counts[prefix] += 1
        return f"{prefix}_{counts[prefix]}"

    return ResponseBuilder(model="slug", created_at=1_700_000_000, new_id=new_id)


def translate_pieces(
    body: dict[str, Any], pieces: Iterable[bytes], target: Target | None = None, dialect: str = "chat"
) -> list[Event]:
    """What the stage does: request in, upstream bytes as the network cut them, all events out."""
    builder = make_builder()
    prepared = DIALECTS[dialect].prepare(body, target or Target(model="upstream"), builder, raw=msgspec.json.encode(body))
    decoder = SSEDecoder()
    events = [] if prepared.begins else builder.start()
    for piece in pieces:
        events += feed_all(prepared, decoder.feed(piece))
    events += feed_all(prepared, decoder.finish())
    events += [event_in(output) for output in prepared.translator.finish()]
    assert prepared.translator.ended
    assert prepared.translator.finish() == []
    assert prepared.translator.feed(Frame(b"", b'{"choices":[{"delta":{"content":"late"}}]}')) == []
    return events


def feed_all(prepared: Prepared, frames: Iterable[Frame]) -> list[Event]:
    return [event_in(output) for frame in frames for output in prepared.translator.feed(frame)]


def event_in(output: Output) -> Event:
    """A frame that was passed on as it came is read as a client would read it."""
    if not isinstance(output, Passed):
        return msgspec.json.decode(msgspec.json.encode(output))
    (frame,) = SSEDecoder().feed(output.data)
    event = msgspec.json.decode(frame.data)
    assert output.event in (None, event)
    assert frame.event.decode() == event["type"]
    return event


class StrictReader:
    """Follows a stream of events and asserts every rule of the contract about their order and their ids."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None
        self._text: list[str] = []
        self._part_open = False

    def read(self, events: list[Event]) -> None:
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
        assert [event["type"] in TERMINAL for event in events] == [False] * (len(events) - 1) + [True]
        for event in events[2:-1]:
            self._one(event)
        self._terminal(events[-1])

    def _terminal(self, event: Event) -> None:
        response = event["response"]
        assert event["type"] == "response." + response["status"]
        assert response["output"] == self.items
        assert len({item["call_id"] for item in self.items if "call_id" in item}) == sum("call_id" in item for item in self.items)
        if response["status"] == "failed":
            assert response["error"]["code"]
            assert response["error"]["message"]
        else:
            assert self._open is None or response["status"] == "incomplete"
            assert response["usage"]["total_tokens"] == response["usage"]["input_tokens"] + response["usage"]["output_tokens"]

    def _one(self, event: Event) -> None:
        type = event["type"]
        if type == "response.output_item.added":
            assert self._open is None, "two items are open"
            assert event["output_index"] == len(self.items)
            self._open, self._text, self._part_open = event["item"], [], False
            return
        assert self._open is not None, f"{type} without an open item"
        assert event["output_index"] == len(self.items)
        if type == "response.output_item.done":
            self._done(event["item"])
            return
        assert event["item_id"] == self._open["id"]
        self._inside(type, event)

    def _done(self, item: dict[str, Any]) -> None:
        assert self._open is not None
        for field in ("id", "type", "call_id", "name", "namespace"):
            assert item.get(field) == self._open.get(field)
        assert not self._part_open, "a part was left open"
        assert item.get("status", "completed") == "completed"
        self.items.append(item)
        self._open = None

    def _inside(self, type: str, event: Event) -> None:
        assert self._open is not None
        kind = self._open["type"]
        if type.endswith("part.added"):
            assert not self._part_open
            self._part_open = True
        elif type.endswith("part.done"):
            assert event["part"]["text"] == "".join(self._text)
            self._part_open = False
        elif type.endswith(".delta"):
            assert self._part_open or kind in _ARGUMENTS
            assert event["delta"] != ""
            self._text.append(event["delta"])
        elif kind in _ARGUMENTS:
            assert type == _ARGUMENTS[kind][0] + ".done"
            assert isinstance(event[_ARGUMENTS[kind][1]], str)
        else:
            assert event["text"] == "".join(self._text)


@pytest.fixture
def builder() -> ResponseBuilder:
    return make_builder()


@pytest.fixture(scope="session")
def run() -> Callable[..., list[Event]]:
    """`run(body, [bytes, …])` → all events of the answer, read strictly."""

    def run_strictly(
        body: dict[str, Any], pieces: Iterable[bytes], target: Target | None = None, dialect: str = "chat"
    ) -> list[Event]:
        events = translate_pieces(body, pieces, target, dialect)
        StrictReader().read(events)
        return events

    return run_strictly
