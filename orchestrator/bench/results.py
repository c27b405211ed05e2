"""What a run found out, as data: the JSON of `--json`, and all that the tables and verdicts are made from."""

from __future__ import annotations

from typing import Literal

import msgspec

from .statistics import Spread


class Measured(msgspec.Struct, kw_only=True):
    """One thing in one scenario. Times in milliseconds, by request; the spreads are over rounds.

    `added_first_ms` and `added_total_ms` are against the upstream itself, taken round by round. CPU is of all its processes and
    for one request; both CPU fields are empty where the system or another user's process does not tell.
    """

    scenario: str
    subject: str
    requests: int = 0
    wrong: list[str] = []
    first_p50_ms: float = 0.0
    first_p95_ms: float = 0.0
    total_p50_ms: float = 0.0
    added_first_ms: Spread | None = None
    added_total_ms: Spread | None = None
    deltas_per_second: Spread = Spread(0, 0, 0)
    requests_per_second: Spread = Spread(0, 0, 0)
    cpu_ms_per_request: float | None = None
    cpu_ms_by_process: dict[str, float] = {}


class Memory(msgspec.Struct, kw_only=True):
    """PSS in MB by process, and the sum. `idle` is after the first request, `worked` behind all scenarios."""

    subject: str
    idle: dict[str, float] = {}
    worked: dict[str, float] = {}
    idle_sum: float = 0.0
    worked_sum: float = 0.0


class Linear(msgspec.Struct, kw_only=True):
    """What one unit costs with less and with more of them: microseconds of all the chain's CPU, which no noise changes much, or
    of the request's whole time where the system does not tell CPU. `by` says which."""

    name: str
    unit: str
    less: str
    more: str
    by: Literal["CPU", "time"]
    less_us: float
    more_us: float
    ratio: float | None
    wrong: list[str] = []


class Verdict(msgspec.Struct, kw_only=True):
    """`met` is None where what it needs was not measured."""

    budget: str
    limit: str
    measured: str
    met: bool | None


class Machine(msgspec.Struct, kw_only=True):
    cpus: int
    system: str
    python: str
    load_before: float
    load_after: float = 0.0


class Report(msgspec.Struct, kw_only=True):
    """`cut_short` tells that time was up before all rounds were run."""

    version: int = 1
    machine: Machine
    rounds: int
    seconds: float = 0.0
    cut_short: bool = False
    start_seconds: list[float] = []
    measured: list[Measured] = []
    memory: list[Memory] = []
    linear: list[Linear] = []
    verdicts: list[Verdict] = []

    def find(self, scenario: str, subject: str) -> Measured | None:
        """None also where it answered wrongly: such numbers are no numbers."""
        found = (each for each in self.measured if (each.scenario, each.subject) == (scenario, subject))
        return next((each for each in found if each.requests and not each.wrong), None)

    @property
    def wrong(self) -> list[str]:
        """Every answer that was not the right one, by whom it came from."""
        rows = [(f"{each.subject}, {each.scenario}", each.wrong) for each in self.measured]
        rows += [(f"chain, {each.name}", each.wrong) for each in self.linear]
        return [f"{where}: {sentence}" for where, sentences in rows for sentence in sentences]
