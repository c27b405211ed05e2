"""When a dead stage is tried again."""

from __future__ import annotations

import pytest
from codex_shim.orchestrator.running.backoff import GIVE_UP_AFTER, LONGEST_SECONDS, Backoff


def test_the_pauses_double_and_then_it_is_given_up() -> None:
    backoff = Backoff(lambda: 0.5)
    delays = [backoff.died(0.0) for _ in range(GIVE_UP_AFTER)]
    assert delays == [pytest.approx(0.1 * 2**n) for n in range(GIVE_UP_AFTER - 1)] + [None]


def test_a_steady_time_forgives_the_deaths_before() -> None:
    backoff = Backoff(lambda: 0.5)
    for _ in range(50):
        assert backoff.died(11.0) == pytest.approx(0.1)
    assert backoff.died(1.0) == pytest.approx(0.2)


@pytest.mark.parametrize("dice", [0.0, 0.999])
def test_chance_moves_a_pause_by_a_quarter_at_most(dice: float) -> None:
    delay = Backoff(lambda: dice).died(0.0)
    assert delay is not None
    assert 0.075 <= delay <= 0.125
    assert delay <= LONGEST_SECONDS
