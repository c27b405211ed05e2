"""A watcher that is slow loses records and is told how many; nobody waits for it."""

from __future__ import annotations

import asyncio

import pytest
from codex_shim.stages.probe import feed
from codex_shim.stages.probe.feed import Feed, Watcher


def take(watcher: Watcher) -> list[dict]:
    return asyncio.run(asyncio.wait_for(watcher.take(), 5))


def test_records_come_in_their_order_and_once() -> None:
    everybody, watcher = Feed(), Watcher()
    everybody.join(watcher)
    for number in range(3):
        everybody.tell({"type": "request", "id": str(number)})
    assert [record["id"] for record in take(watcher)] == ["0", "1", "2"]


def test_what_does_not_fit_is_counted_and_what_comes_later_fits_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_RECORDS", 2)
    everybody, watcher = Feed(), Watcher()
    everybody.join(watcher)
    for number in range(5):
        everybody.tell({"type": "request", "id": str(number)})
    assert take(watcher) == [{"type": "request", "id": "0"}, {"type": "request", "id": "1"}, {"type": "dropped", "records": 3}]
    everybody.tell({"type": "request", "id": "5"})
    assert take(watcher) == [{"type": "request", "id": "5"}]


def test_long_bodies_are_left_out_beyond_the_limit_but_never_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_BYTES", 1000)
    everybody, watcher = Feed(), Watcher(bodies=True)
    everybody.join(watcher)
    everybody.tell({"type": "request"}, body="x" * 5000)
    everybody.tell({"type": "request"}, body="y")
    assert [len(record.get("body", "")) for record in take(watcher)] == [5000, 0]


def test_each_gets_what_it_has_asked_for() -> None:
    everybody, plain, full = Feed(), Watcher(), Watcher(bodies=True, events=True)
    everybody.join(plain)
    assert not (everybody.wants_bodies or everybody.wants_events)
    everybody.join(full)
    everybody.tell({"type": "request"}, body="text")
    everybody.tell({"type": "chunk", "data": "d"}, event=True)
    assert take(plain) == [{"type": "request"}]
    assert take(full) == [{"type": "request", "body": "text"}, {"type": "chunk", "data": "d"}]


def test_the_end_comes_behind_what_was_told() -> None:
    everybody, watcher = Feed(), Watcher()
    everybody.join(watcher)
    everybody.tell({"type": "end"})
    everybody.close()
    assert take(watcher) == [{"type": "end"}]
    assert take(watcher) == []
