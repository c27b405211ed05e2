"""What is measured: sizes of requests, lengths of streams, how many at once. Data."""

from __future__ import annotations

from typing import Literal

import msgspec

from .script import Script


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """`requests` are those of one round. `usual` is what most of a day with Codex looks like, and what budgets are about."""

    name: str
    meaning: str
    size: int = 20_000
    script: Script = Script()
    concurrency: int = 1
    requests: int = 20
    quick: bool = False
    default: bool = True


SCENARIOS = (
    Scenario(name="small", meaning="2 kB request, 100 deltas", size=2_000),
    Scenario(name="usual", meaning="20 kB request, 100 deltas", quick=True),
    Scenario(
        name="calm",
        meaning="20 kB request, 20 deltas 5 ms apart",
        script=Script(deltas=20, pause_ms=5.0),
        requests=10,
    ),
    Scenario(name="large", meaning="500 kB request, 100 deltas", size=500_000, requests=10, quick=True),
    Scenario(name="long", meaning="20 kB request, 10,000 deltas", script=Script(deltas=10_000), requests=2, quick=True),
    Scenario(name="crowd", meaning="20 kB requests, 100 deltas, 32 at once", concurrency=32, requests=128, quick=True),
    Scenario(
        name="paced",
        meaning="20 kB requests, 100 deltas 5 ms apart, 32 at once",
        script=Script(pause_ms=5.0),
        concurrency=32,
        requests=32,
    ),
    Scenario(
        name="crowd-long",
        meaning="20 kB requests, 10,000 deltas, 32 at once",
        script=Script(deltas=10_000),
        concurrency=32,
        requests=32,
        default=False,
    ),
)

NAMES = tuple(scenario.name for scenario in SCENARIOS)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two scripts, or one script and two sizes of request, whose cost per `unit` must be the same."""

    name: str
    unit: Literal["delta", "MB"]
    less: Script
    more: Script
    bodies: tuple[int, int] = (20_000, 20_000)

    @property
    def grows_by_body(self) -> bool:
        return self.bodies[0] != self.bodies[1]

    def sides(self) -> list[tuple[Script, int]]:
        """The smaller and the larger one: what is said, and the size of the request."""
        return list(zip((self.less, self.more), self.bodies, strict=True))

    def units(self) -> tuple[float, float]:
        if self.grows_by_body:
            return self.bodies[0] / 1e6, self.bodies[1] / 1e6
        if self.unit == "delta":
            return self.less.deltas, self.more.deltas
        return self.less.size / 1e6, self.more.size / 1e6

    def amounts(self) -> tuple[str, str]:
        """Both in words."""
        less, more = self.units()
        return (f"{less:,.0f} deltas", f"{more:,.0f} deltas") if self.unit == "delta" else (f"{less:g} MB", f"{more:g} MB")


def linearity(*, quick: bool) -> list[Pair]:
    """Deltas in one stream, pieces of one call's arguments, bytes in one event, bytes of one request."""
    deltas, pieces, characters, history = (2_000, 2_000, 500_000, 130_000) if quick else (10_000, 16_000, 4_000_000, 1_300_000)
    one_event = (Script(deltas=1, size=characters), Script(deltas=1, size=8 * characters))
    call = (Script(deltas=pieces, call=True), Script(deltas=10 * pieces, call=True))
    short = Script(deltas=2)
    return [
        Pair(name="deltas", unit="delta", less=Script(deltas=deltas), more=Script(deltas=10 * deltas)),
        Pair(name="argument deltas", unit="delta", less=call[0], more=call[1]),
        Pair(name="one event", unit="MB", less=one_event[0], more=one_event[1]),
        Pair(name="history", unit="MB", less=short, more=short, bodies=(history, 10 * history)),
    ]


def chosen(names: list[str], *, quick: bool) -> list[Scenario]:
    """Those that are named; without names the usual set, or the quick one. Raises `KeyError` for a name nobody knows."""
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    if names:
        return [by_name[name] for name in names]
    return [scenario for scenario in SCENARIOS if (scenario.quick if quick else scenario.default)]
