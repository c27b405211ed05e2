"""When a member is left alone, and who may try whether it is well again. Pure: the clock comes in as an argument.

closed     everybody may ask. Enough failures within the window open it, and so does a Retry-After, at once
open       nobody asks until the pause is over, or the moment that the upstream itself has named
half-open  one request may ask. Its success closes it, its failure opens it again
"""

from __future__ import annotations

from typing import Literal

from .config import BreakerOptions

# Whatever an upstream asks for: a limit of a month is looked at once an hour.
_LONGEST_SECONDS = 3600.0

Turn = Literal["usual", "probe", "forced"]


class Breaker:
    """Seconds of any clock that only goes forward. `begin` comes before each request, and exactly one of the others after it."""

    def __init__(self, options: BreakerOptions) -> None:
        self._options = options
        self._failures: list[float] = []
        self._until: float | None = None
        self._probing = False
        self.named = False  # whether the upstream itself has said when to come back

    def admits(self, now: float) -> bool:
        return self._until is None or (now >= self._until and not self._probing)

    def pause(self, now: float) -> float:
        """Seconds until somebody may ask; 0 where somebody may, or just does."""
        return max(0.0, self._until - now) if self._until is not None else 0.0

    def begin(self, now: float) -> Turn:
        """Also of a request that is sent though nobody may ask, because nobody else is left."""
        if self._until is None:
            return "usual"
        if not self.admits(now):
            return "forced"
        self._probing = True
        return "probe"

    def succeeded(self, turn: Turn) -> None:
        """A request that began before the breaker opened proves nothing."""
        if self._until is None or turn != "usual":
            self._failures.clear()
            self._until = None
            self.named = False
        self.released(turn)

    def failed(self, turn: Turn, now: float, retry_after: float | None = None) -> None:
        """`retry_after` are the seconds that the upstream has asked for."""
        self.released(turn)
        self._failures = [at for at in self._failures if now - at <= self._options.window_seconds] + [now]
        if retry_after:
            self._open(now + min(retry_after, _LONGEST_SECONDS), named=True)
        elif turn != "usual" or len(self._failures) >= self._options.failures:
            self._open(now + self._options.pause_seconds, named=False)

    def released(self, turn: Turn) -> None:
        """The request has ended without telling anything, as one that its client gave up does."""
        if turn == "probe":
            self._probing = False

    def _open(self, until: float, *, named: bool) -> None:
        if self._until is None or until >= self._until:
            self._until, self.named = until, named
