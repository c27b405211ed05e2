"""When a stage that died is tried again, and when it is given up. Pure: the clock and the dice are the caller's."""

from __future__ import annotations

from collections.abc import Callable

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 5.0
GIVE_UP_AFTER = 6
# A stage that was ready for so long has recovered: its next death is its first.
STEADY_SECONDS = 10.0


class Backoff:
    """Counts deaths in a row. `dice` gives numbers in [0, 1): stages that die together should not return together."""

    def __init__(self, dice: Callable[[], float]) -> None:
        self._dice = dice
        self.deaths = 0

    def died(self, ready_for: float) -> float | None:
        """Seconds to wait before the next try, None to give up. `ready_for` is how long the process had been ready."""
        self.deaths = 1 if ready_for >= STEADY_SECONDS else self.deaths + 1
        if self.deaths >= GIVE_UP_AFTER:
            return None
        delay = min(FIRST_SECONDS * 2 ** (self.deaths - 1), LONGEST_SECONDS)
        return delay * (0.75 + 0.5 * self._dice())

    def reset(self) -> None:
        self.deaths = 0
