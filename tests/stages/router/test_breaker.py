"""The breaker under any course of events, with a clock of the test's own."""

from __future__ import annotations

from codex_shim.stages.router.breaker import Breaker, Turn
from codex_shim.stages.router.config import BreakerOptions
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

OPTIONS = BreakerOptions(failures=3, window_seconds=60, pause_seconds=20)


def failing(breaker: Breaker, *moments: float, retry_after: float | None = None) -> None:
    for now in moments:
        breaker.failed(breaker.begin(now), now, retry_after)


def test_enough_failures_within_the_window_open_it_and_older_ones_do_not_count() -> None:
    breaker = Breaker(OPTIONS)
    failing(breaker, 0, 61, 62)
    assert breaker.admits(63)
    failing(breaker, 63)
    assert (breaker.admits(63), breaker.pause(63), breaker.admits(82.9), breaker.admits(83)) == (False, 20, False, True)


def test_one_request_may_try_and_its_end_decides() -> None:
    breaker = Breaker(OPTIONS)
    failing(breaker, 0, 0, 0)
    probe = breaker.begin(20)
    assert (probe, breaker.admits(20)) == ("probe", False)
    breaker.failed(probe, 21)
    assert (breaker.admits(40), breaker.admits(41)) == (False, True)
    breaker.released(breaker.begin(41))  # its client has left
    assert breaker.admits(41)
    breaker.succeeded(breaker.begin(41))
    failing(breaker, 42, 42)
    assert breaker.admits(42)


def test_an_upstream_that_says_when_to_come_back_is_left_alone_until_then() -> None:
    breaker = Breaker(OPTIONS)
    early = breaker.begin(0)
    failing(breaker, 0, retry_after=100)
    breaker.succeeded(early)  # that began before
    assert (breaker.named, breaker.pause(30), breaker.begin(30)) == (True, 70, "forced")
    failing(breaker, 40)
    assert (breaker.named, breaker.pause(40)) == (True, 60)
    failing(breaker, 50, retry_after=1_000_000)
    assert breaker.pause(50) == 3600


def test_who_is_asked_although_it_is_open_can_close_it() -> None:
    breaker = Breaker(OPTIONS)
    failing(breaker, 0, 0, 0)
    breaker.succeeded(breaker.begin(1))
    assert breaker.admits(1)


class AnyCourse(RuleBasedStateMachine):
    """Requests begin when they are admitted, and end in any order and way."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(OPTIONS)
        self.now = 0.0
        self.running: list[Turn] = []

    @rule(seconds=st.floats(0, 100))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.breaker.admits(self.now))
    @rule()
    def begin(self) -> None:
        self.running.append(self.breaker.begin(self.now))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), retry_after=st.sampled_from([None, 0.0, 7.0, 9000.0]))
    def fail(self, data: st.DataObject, retry_after: float | None) -> None:
        self.breaker.failed(self._one(data), self.now, retry_after)
        assert not retry_after or not self.breaker.admits(self.now)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        turn = self._one(data)
        self.breaker.succeeded(turn)
        assert turn == "usual" or self.breaker.admits(self.now)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.breaker.released(self._one(data))

    @invariant()
    def one_at_most_tries(self) -> None:
        assert self.running.count("probe") <= 1

    @invariant()
    def it_never_stays_shut(self) -> None:
        assert self.breaker.pause(self.now) <= 3600
        if "probe" not in self.running:
            assert self.breaker.admits(self.now + self.breaker.pause(self.now) + 0.001)

    def _one(self, data: st.DataObject) -> Turn:
        return self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))


TestAnyCourse = AnyCourse.TestCase
TestAnyCourse.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
