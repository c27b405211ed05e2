"""When to stop asking for a while: a login that is gone, or a limit that is reached, does not come back by asking. Pure."""

from __future__ import annotations

from ..contract.errors import Failure
from .codes import AUTH_REQUIRED, RATE_LIMITED, USAGE_LIMIT

_COUNTED = frozenset({AUTH_REQUIRED, RATE_LIMITED, USAGE_LIMIT})


class Breaker:
    """Open for `seconds` after `most` such failures in a row. Afterwards one may try: its failure opens it again, its success ends
    the count."""

    def __init__(self, most: int = 3, seconds: float = 30.0) -> None:
        self._most = most
        self._seconds = seconds
        self._count = 0
        self._open_until = 0.0
        self._reason = ""

    def take(self, failure: Failure | None, now: float) -> None:
        """How a run has ended; None for well. Other failures than those of login and limit say nothing either way."""
        if failure is None:
            self._count = 0
        elif failure.code in _COUNTED:
            self._count += 1
            self._reason = failure.message
            if self._count >= self._most:
                self._open_until = now + self._seconds

    def refuses(self, now: float) -> tuple[str, float] | None:
        """The reason and the seconds that are left, None where a run may begin."""
        return (self._reason, self._open_until - now) if now < self._open_until else None
