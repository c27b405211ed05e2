"""The moments of one exchange, as its log line tells them."""

from __future__ import annotations

import pytest
from codex_shim.stages.kit import timing
from codex_shim.stages.kit.timing import Timing


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Set the time by writing to its only element, in seconds."""
    now = [100.0]
    monkeypatch.setattr(timing, "perf_counter", lambda: now[0])
    return now


def test_what_has_not_come_is_not_told(clock: list[float]) -> None:
    told = {name for name, value in Timing().fields().items() if value is not None}
    assert told == {"began", "ms"}


def test_the_time_of_a_piece_is_from_having_read_it_to_having_written_what_it_caused(clock: list[float]) -> None:
    moments = Timing()
    for at, happen in (
        (100.001, moments.sent),
        (100.002, moments.sent),  # asked again: the first time counts
        (100.010, moments.answered),
        (100.020, moments.read),
        (100.021, moments.written),
        (100.025, moments.written),  # a keepalive of ours
        (100.030, moments.read),  # half a frame, held back
        (100.040, moments.read),
        (100.043, moments.written),
    ):
        clock[0] = at
        happen()
    moments.again("no connection")
    moments.again("no connection")
    clock[0] = 100.05
    told = moments.fields()
    assert (told["sent_ms"], told["headers_ms"], told["read_ms"], told["first_ms"], told["ended_ms"], told["ms"]) == pytest.approx(
        (1, 10, 20, 21, 40, 50)
    )
    assert (told["chunks"], told["chunk_ms"]) == (3, pytest.approx(4))
    assert told["retries"] == {"no connection": 2}
