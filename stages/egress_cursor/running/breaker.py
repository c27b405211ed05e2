"""When to stop asking for a while: a login that is gone, or a limit that is reached, does not come back by asking. Pure."""

from __future__ import annotations

import math

import msgspec

from ...contract.errors import Failure
from ..codes import AUTH_REQUIRED, RATE_LIMITED, USAGE_LIMIT
from ..refusals import rate_limited

_COUNTED = frozenset({AUTH_REQUIRED, RATE_LIMITED, USAGE_LIMIT})


class Breaker:
    """Open for `seconds` after `most` such failures in a row. Afterwards one may try: its failure opens it again, its success ends
    the count."""

    def __init__(self, most: int = 3, seconds: float = 30.0) -> None:
        self._most = most
        self._seconds = seconds
        self._count = 0
        self._open_until = 0.0
        self._last: Failure | None = None

    def take(self, failure: Failure | None, now: float) -> None:
        """How a run has ended; None for well. Other failures than those of login and limit say nothing either way."""
        if failure is None:
            self._count = 0
        elif failure.code in _COUNTED:
            self._count += 1
            self._last = failure
            if self._count >= self._most:
                self._open_until = now + self._seconds

    def refuses(self, now: float) -> Failure | None:
        """None where a run may begin. The failure is the one that was met last, because a client has to do the same about it."""
        if self._last is None or now >= self._open_until:
            return None
        wait = math.ceil(self._open_until - now)
        if self._last.code == RATE_LIMITED:
            return rate_limited(wait)
        told = f"{self._last.message} cursor-agent is asked again in {wait} seconds."
        return msgspec.structs.replace(self._last, message=told, retry_after=float(wait))
