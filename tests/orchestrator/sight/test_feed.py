"""Who watches a probe asks it again when it was replaced, however long nothing had gone through."""

from __future__ import annotations

import queue
from contextlib import contextmanager
from typing import Any

import pytest
from codex_shim.orchestrator.sight import feed


class Clock:
    """Stands still but for sleeps, and for what a test adds."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Response:
    status = 200

    def __init__(self, lines: Any) -> None:
        self._lines = lines

    def __iter__(self) -> Any:
        return self._lines


def test_a_probe_that_is_replaced_after_a_quiet_hour_is_watched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    def quiet() -> Any:
        clock.now += 3600
        yield from ()

    answers = iter([quiet(), iter([b'{"type":"end"}\n'])])

    @contextmanager
    def followed(url: str, headers: dict[str, str]) -> Any:
        lines = next(answers, None)
        if lines is None:
            raise ConnectionRefusedError
        yield Response(lines)

    monkeypatch.setattr(feed, "time", clock)
    monkeypatch.setattr(feed.loopback, "followed", followed)
    records: queue.Queue[Any] = queue.Queue()
    feed._Reader({"hop": "a>b", "url": "http://probe", "token": "t"}, "", records, lambda: True)
    assert records.get(timeout=30) == {"hop": "a>b", "type": "end"}
    assert records.get(timeout=30) is None, "one that stays away is given up"
