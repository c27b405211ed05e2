"""Counts requests by day, model and project. Pure: lines in, counts out.

A worker's line says which model answered and what its provider counted, the router's line says in which project Codex works. They
come within a moment of each other, in any order, so a worker's line waits for the other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec
from codex_shim.stages.contract.price import Price

from ..traces.line import Line

# Names that come from outside.
LONGEST_NAME = 400
MOST_PROJECTS = 5000

Key = tuple[str, str, str]


class Counts(msgspec.Struct, kw_only=True):
    """`cached` tokens are a part of `input`. `unpriced` counts the requests that cost what nobody here knows."""

    requests: int = 0
    failed: int = 0
    input: int = 0
    cached: int = 0
    output: int = 0
    dollars: float = 0.0
    unpriced: int = 0

    def add(self, other: Counts) -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Row(msgspec.Struct, frozen=True):
    """What is kept of one day."""

    day: str
    slug: str
    project: str
    counts: Counts


class Tally:
    """`day_of` names the day of a moment in seconds since the epoch: `2026-11-21`."""

    def __init__(self, day_of: Callable[[float], str]) -> None:
        self._day_of = day_of
        self._projects: OrderedDict[str, str] = OrderedDict()
        self._waiting: list[Line] = []

    @property
    def waits(self) -> bool:
        """Whether there is a line that is not counted yet."""
        return bool(self._waiting)

    def feed(self, line: Line) -> None:
        if line.method != "POST" or not line.request_id:
            return
        if isinstance(line.project, str):
            self._projects[line.request_id] = line.project[:LONGEST_NAME]
            while len(self._projects) > MOST_PROJECTS:
                self._projects.popitem(last=False)
        if line.upstream:
            self._waiting.append(line)

    def take(self, prices: Mapping[str, Price], until: float) -> dict[Key, Counts]:
        """What has come to be known since the last time, by day, slug and project. A request that was over before `until`, in
        seconds since the epoch, does not wait for its project any longer."""
        found: dict[Key, Counts] = {}
        waiting, self._waiting = self._waiting, []
        for line in waiting:
            project = self._projects.get(line.request_id)
            if project is None and line.end >= until:
                self._waiting.append(line)
                continue
            slug = (line.slug or line.upstream or "")[:LONGEST_NAME]
            key = self._day_of(line.end), slug, project or ""
            found.setdefault(key, Counts()).add(_counted(line, prices.get(slug)))
        return found


def _counted(line: Line, price: Price | None) -> Counts:
    counts = Counts(requests=1, failed=int(line.failed))
    if (tokens := line.tokens) is not None:
        counts.input, counts.output = tokens.input, tokens.output
        counts.cached = min(tokens.cached, tokens.input)
        counts.dollars = price.cost(counts.input, counts.cached, counts.output) if price else 0.0
        counts.unpriced = 0 if price else 1
    return counts
