"""The records of the watch feed, version 1: one JSON object per line, for each moment of an exchange.

All of them have `type`, `hop`, `id` (the request's x-request-id) and `ts`, seconds since the epoch:

    request    method, path, headers, model, session, and body where the watcher asked for bodies
    response   status, headers
    chunk      data: the text of the bytes that came, where the watcher asked for events
    violation  rule, field, sentence
    end        outcome, ms, first_ms, bytes_in, bytes_out, chunks
    dropped    records: how many this watcher was too slow for
"""

from __future__ import annotations

import codecs
import time
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import msgspec

from ..kit.exchange import Exchange
from . import mask
from .feed import Feed, Record

# In which header a client names the conversation, by its version; the key for the provider's cache is as good a name.
_SESSIONS = ("session-id", "session_id", "conversation_id", "thread-id")


class _Asked(msgspec.Struct):
    model: str | None = None
    prompt_cache_key: str | None = None


class Telling:
    """Tells the feed of one exchange. Nothing is decoded or copied where nobody has asked for it."""

    def __init__(self, feed: Feed, hop: str, exchange: Exchange, body: bytes) -> None:
        self._feed = feed
        self._exchange = exchange
        self._began = perf_counter()
        self._first = 0.0
        self._chunks = 0
        self._whose = {"hop": hop, "id": exchange.request_id}
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        if feed:
            self._tell_request(body)

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        if self._feed:
            self._tell("response", status=status, headers=mask.headers(headers.items()))

    def chunk(self, chunk: bytes) -> None:
        self._first = self._first or perf_counter()
        self._chunks += 1
        if self._feed.wants_events and (text := self._text.decode(chunk)):
            self._feed.tell(self._record("chunk", data=text), event=True)

    def violation(self, rule: str, field: str, sentence: str) -> None:
        self._tell("violation", rule=rule, field=field, sentence=sentence)

    def ended(self, outcome: str) -> None:
        if self._feed.wants_events and (text := self._text.decode(b"", final=True)):
            self._feed.tell(self._record("chunk", data=text), event=True)
        self._tell(
            "end",
            outcome=outcome,
            ms=_ms(perf_counter() - self._began),
            first_ms=_ms(self._first - self._began) if self._first else None,
            bytes_in=self._exchange.bytes_in,
            bytes_out=self._exchange.bytes_out,
            chunks=self._chunks,
        )

    def _tell_request(self, body: bytes) -> None:
        asked, headers = _asked(body), mask.headers(self._exchange.headers.items())
        record = self._record(
            "request",
            method=self._exchange.method,
            path=self._exchange.path,
            headers=headers,
            model=asked.model,
            session=next((headers[name] for name in _SESSIONS if headers.get(name)), asked.prompt_cache_key),
        )
        self._feed.tell(record, body=body.decode("utf-8", "replace") if self._feed.wants_bodies else None)

    def _tell(self, type: str, **fields: Any) -> None:
        self._feed.tell(self._record(type, **fields))

    def _record(self, type: str, **fields: Any) -> Record:
        return {"type": type, **self._whose, "ts": round(time.time(), 3), **fields}


def lines(records: list[Record]) -> bytes:
    """What is sent to a watcher. Only here texts are searched for keys, which takes a while for a long one."""
    return b"".join([msgspec.json.encode(_masked(record)) + b"\n" for record in records])


def _masked(record: Record) -> Record:
    shown = {name: mask.text(record[name]) for name in ("body", "data") if name in record}
    return {**record, **shown} if shown else record


def _asked(body: bytes) -> _Asked:
    try:
        return msgspec.json.decode(body, type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Asked()


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
