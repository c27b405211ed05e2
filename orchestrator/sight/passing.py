"""The events of streams as they pass a hop, each with what it says in a few words. Pure."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any, NamedTuple

from codex_shim.stages.contract.sse import Frame, SSEDecoder

from ..trial.answer import is_stream, read_event
from .crossing import MOST_OPEN, Record, key_of

_MOST_WORDS = 100


class Passed(NamedTuple):
    """`offset` is milliseconds since the request, `gist` what it says."""

    hop: str
    id: str
    offset: float
    type: str
    gist: str


class Passing:
    """`feed` takes the records of any hops and gives the events that each one completes."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str], tuple[float, SSEDecoder | None]] = OrderedDict()

    def feed(self, record: Record) -> list[Passed]:
        kind, key = record.get("type"), key_of(record)
        if kind == "request":
            self._open[key] = (float(record.get("ts") or 0), None)
            if len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
        if key not in self._open:
            return []
        began, decoder = self._open[key]
        if kind == "response" and is_stream((record.get("headers") or {}).get("content-type")):
            self._open[key] = (began, SSEDecoder())
        elif kind == "chunk" and decoder is not None:
            return self._passed(key, record, decoder.feed(str(record.get("data") or "").encode()))
        elif kind == "end":
            del self._open[key]
            return self._passed(key, record, decoder.finish(), began) if decoder is not None else []
        return []

    def _passed(self, key: tuple[str, str], record: Record, frames: list[Frame], began: float | None = None) -> list[Passed]:
        began = self._open[key][0] if began is None else began
        offset = max(0.0, (float(record.get("ts") or began) - began) * 1000)
        return [Passed(*key, round(offset, 1), *described(frame)) for frame in frames]


def described(frame: Frame) -> tuple[str, str]:
    """The type of an event, and its gist."""
    event = read_event(frame.data)
    if not event:
        return frame.event.decode("utf-8", "replace") or "(no event)", shortened(frame.data.decode("utf-8", "replace"))
    return str(event.get("type") or frame.event.decode("utf-8", "replace") or "(no type)"), _gist(event)


def shortened(text: str, most: int = _MOST_WORDS) -> str:
    """On one line, and not beyond `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}…"


def _gist(event: dict[str, Any]) -> str:
    if "delta" in event:
        return shortened(json.dumps(event["delta"], ensure_ascii=False))
    if isinstance(item := event.get("item"), dict):
        return " ".join(str(item[name]) for name in ("type", "namespace", "name", "call_id") if item.get(name))
    if isinstance(response := event.get("response"), dict):
        return _of_response(response)
    rest = {name: value for name, value in event.items() if name not in ("type", "sequence_number", "item_id", "output_index")}
    return shortened(json.dumps(rest, ensure_ascii=False)) if rest else ""


def _of_response(response: dict[str, Any]) -> str:
    told = [str(response.get("status") or "")]
    if isinstance(usage := response.get("usage"), dict):
        told.append(f"{usage.get('input_tokens')} tokens in, {usage.get('output_tokens')} out")
    reasons = [response[name] for name in ("error", "incomplete_details") if response.get(name)]
    told += [shortened(json.dumps(reason, ensure_ascii=False)) for reason in reasons]
    return ", ".join(word for word in told if word)
