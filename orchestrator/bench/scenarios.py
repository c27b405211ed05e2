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
    """Two scripts whose cost per `unit` must be the same."""

    name: str
    unit: Literal["delta", "MB"]
    less: Script
    more: Script

    def units(self, script: Script) -> float:
        return script.deltas if self.unit == "delta" else script.size / 1e6


def amount(script: Script) -> str:
    return f"{script.deltas:,} deltas" if script.deltas > 1 else f"{script.size / 1e6:g} MB"


def linearity(*, quick: bool) -> tuple[Pair, Pair]:
    """Deltas in one stream, and bytes in one event."""
    deltas, characters = (2_000, 500_000) if quick else (10_000, 4_000_000)
    one_event = (Script(deltas=1, size=characters), Script(deltas=1, size=8 * characters))
    return (
        Pair(name="deltas", unit="delta", less=Script(deltas=deltas), more=Script(deltas=10 * deltas)),
        Pair(name="one event", unit="MB", less=one_event[0], more=one_event[1]),
    )


def chosen(names: list[str], *, quick: bool) -> list[Scenario]:
    """Those that are named; without names the usual set, or the quick one. Raises `KeyError` for a name nobody knows."""
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    if names:
        return [by_name[name] for name in names]
    return [scenario for scenario in SCENARIOS if (scenario.quick if quick else scenario.default)]
