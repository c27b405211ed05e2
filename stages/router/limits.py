"""How much may be asked of which models: requests and tokens in a minute that slides, dollars in a day. Pure: clocks come in.

All models that a limit names share it. What has begun is finished: a request is held against what was used before it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from ..contract.errors import QUOTA, RATE_LIMITED, Failure
from ..contract.price import Price
from ..contract.spent import Spent
from .config import Limit
from .tail import Used

_MINUTE = 60.0


class Begun(msgspec.Struct):
    """One request in a window: `moment` is in seconds of a clock that only goes forward, `tokens` are estimated until it ends."""

    moment: float
    tokens: int


class Counter:
    """What was used of one limit."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._window: deque[Begun] = deque()
        self._day = ""
        self._before: float | None = None
        self._own = 0.0

    def begin(self, begun: Begun) -> None:
        self._window.append(begun)

    def pay(self, dollars: float, day: str) -> None:
        self._turn_to(day)
        self._own += dollars

    def failure(self, now: float, day: str, spent: Spent) -> Failure | None:
        """Why a request may not begin; `spent` is what the orchestrator has counted."""
        return self._over_budget(day, spent) or self._too_fast(now)

    def _too_fast(self, now: float) -> Failure | None:
        while self._window and self._window[0].moment <= now - _MINUTE:
            self._window.popleft()
        requests, tokens = self.limit.requests_per_minute, self.limit.tokens_per_minute
        if requests is not None and len(self._window) >= requests:
            return self._wait(f"{requests:,} request{'' if requests == 1 else 's'}", self._window[-requests].moment, now)
        if tokens is not None and (frees := _frees(self._window, tokens)) is not None:
            return self._wait(f"{tokens:,} tokens", frees, now)
        return None

    def _wait(self, much: str, moment: float, now: float) -> Failure:
        seconds = max(1, math.ceil(moment + _MINUTE - now))
        message = f"the limit of {much} per minute for {self._whom()} in pipeline.toml is reached; try again in {seconds}s"
        return Failure(code=RATE_LIMITED, message=message, status=429, retry_after=float(seconds))

    def _over_budget(self, day: str, spent: Spent) -> Failure | None:
        """What we have counted ourselves is newer; what the orchestrator has counted outlives us, and knows of other routers."""
        budget = self.limit.dollars_per_day
        if budget is None:
            return None
        self._turn_to(day)
        told = sum(item.dollars for item in spent.items if self.limit.fits(item.slug, item.project)) if spent.day == day else 0.0
        if self._before is None:
            self._before = max(0.0, told - self._own)
        used = max(told, self._before + self._own)
        if used < budget:
            return None
        message = (
            f"the budget of ${budget:,.2f} a day for {self._whom()} in pipeline.toml is spent (${used:,.2f}); it begins anew "
            "at midnight, and `dollars_per_day` raises it"
        )
        return Failure(code=QUOTA, message=message, status=402)

    def _turn_to(self, day: str) -> None:
        if day != self._day:
            self._day, self._before, self._own = day, None, 0.0

    def _whom(self) -> str:
        models = "all models" if "*" in self.limit.models else ", ".join(f"`{pattern}`" for pattern in self.limit.models)
        return models + (f" in {', '.join(self.limit.project)}" if self.limit.project else "")


class Counters:
    """All limits. One that no request has anything to do with costs nothing."""

    def __init__(self, limits: Sequence[Limit], prices: Mapping[str, Price]) -> None:
        self._counters = [Counter(limit) for limit in limits]
        self._prices = prices

    def __bool__(self) -> bool:
        return bool(self._counters)

    def wants_spent(self, slugs: Sequence[str], project: str) -> bool:
        """Whether it must be known what was spent today."""
        return any(each.limit.dollars_per_day is not None for slug in slugs for each in self._of(slug, project))

    def failure(self, slug: str, project: str, now: float, day: str, spent: Spent) -> Failure | None:
        """None where the request may begin; a budget that is spent before a wait."""
        found = [why for each in self._of(slug, project) if (why := each.failure(now, day, spent)) is not None]
        return max(found, key=lambda why: (why.retry_after is None, why.retry_after or 0), default=None)

    def begin(self, slug: str, project: str, tokens: int, now: float) -> Begun:
        begun = Begun(now, tokens)
        for each in self._of(slug, project):
            each.begin(begun)
        return begun

    def end(self, slug: str, project: str, begun: Begun, used: Used, day: str) -> None:
        """It is known now what it has used."""
        begun.tokens = used.input + used.output
        price = self._prices.get(slug)
        dollars = price.cost(*used) if price is not None else 0.0
        for each in self._of(slug, project):
            each.pay(dollars, day)

    def _of(self, slug: str, project: str) -> list[Counter]:
        return [each for each in self._counters if each.limit.fits(slug, project)]


def _frees(window: deque[Begun], tokens: int) -> float | None:
    """The moment of the request with whose leaving there is room again; None where there is some."""
    used = sum(begun.tokens for begun in window)
    if used < tokens:
        return None
    for begun in window:
        used -= begun.tokens
        if used < tokens:
            return begun.moment
    return None
