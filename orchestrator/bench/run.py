"""One run of the benchmark: start everything, take turns, measure, end everything.

Bounded in time: rounds that would begin behind `seconds` are left out, and each job has a limit of its own. Whatever happens, what
was started is ended in the opposite order, the client first.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from . import proc
from .budgets import judge
from .driver import Driver, driver
from .jobs import Job, Outcome
from .results import Machine, Measured, Memory, Report
from .rounds import compare, note_cpu, summarise
from .scenarios import Pair, Scenario
from .script import Script
from .subjects import CHAIN, ChainHome, Subject, direct, relays, rival

Tell = Callable[[str], None]

_LINEAR_REQUESTS = 3


class Rival(msgspec.Struct, frozen=True):
    name: str
    url: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asked for. `model` and `token` are the rivals'."""

    scenarios: Sequence[Scenario]
    pairs: Sequence[Pair] = ()
    rounds: int = 5
    starts: int = 5
    seconds: float = 300.0
    rivals: Sequence[Rival] = ()
    model: str = "bench"
    token: str | None = None
    upstream_port: int = 0


class CpuMeter:
    """Counts only while its subject works: relays are in several rows, and each of them is another subject."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._used = dict.fromkeys(pids, 0.0)
        self._before: dict[int, float] = {}

    def __enter__(self) -> None:
        self._before = proc.cpu_seconds(self._used)

    def __exit__(self, *_: object) -> None:
        for pid, seconds in proc.cpu_seconds(self._used).items():
            self._used[pid] += seconds - self._before.get(pid, seconds)

    def by_name(self) -> dict[str, float]:
        return proc.by_name(self._used)


class Run:
    """`tell` gets a line for each step."""

    def __init__(self, plan: Plan, tell: Tell) -> None:
        self._plan = plan
        self._tell = tell
        self._began = time.monotonic()
        self._give_up_at = self._began + plan.seconds
        self._report = Report(machine=_machine(), rounds=plan.rounds)

    def run(self) -> Report:
        """Raises `NotStartedError`."""
        rivals = [rival(each.name, each.url, self._plan.model, self._plan.token) for each in self._plan.rivals]
        with tempfile.TemporaryDirectory(prefix="codex-shim-bench-") as folder, driver(self._plan.upstream_port) as drive:
            self._tell(f"upstream: chat completions at {drive.base_url}/chat/completions, Responses at {drive.base_url}/responses")
            home = ChainHome(Path(folder) / "home", drive.upstream_port)
            self._measure_starts(home)
            with self._subjects(home, drive, rivals) as subjects:
                for scenario in self._plan.scenarios:
                    self._measure(scenario, subjects, drive)
                self._note_memory(subjects)
                chain = next(subject for subject in subjects if subject.name == CHAIN)
                for pair in self._plan.pairs:
                    self._measure_linearity(pair, chain, drive)
        self._report.machine.load_after = _load()
        self._report.seconds = round(time.monotonic() - self._began, 1)
        self._report.verdicts = judge(self._report)
        return self._report

    def _measure_starts(self, home: ChainHome) -> None:
        """The first one fills caches, on the disk and in the home, and does not count."""
        for number in range(self._plan.starts + 1 if self._plan.starts else 0):
            if number and self._late():
                return
            with home.up() as (_, seconds):
                self._tell(f"start {number} of {self._plan.starts}: {seconds:.2f} s")
                if number:
                    self._report.start_seconds.append(round(seconds, 3))

    @contextmanager
    def _subjects(self, home: ChainHome, drive: Driver, rivals: Sequence[Subject]) -> Iterator[list[Subject]]:
        """The chain comes first: as long as no relay runs, none shares its memory."""
        with ExitStack() as running:
            chain, _ = running.enter_context(home.up())
            for each in (chain, *rivals):
                self._note_idle(each, drive)
            rows = running.enter_context(relays(drive.upstream_port))
            self._warm_up(rows[-1], drive)
            yield [*direct(drive.upstream_port), *rows, chain, *rivals]

    def _warm_up(self, subject: Subject, drive: Driver) -> None:
        """Wait until it answers, and let every process of it do for the first time what it will do often."""
        drive.ask(Job(target=subject.target, script=Script(), size=20_000, requests=20))

    def _note_idle(self, subject: Subject, drive: Driver) -> None:
        drive.ask(Job(target=subject.target, script=Script(), size=20_000))
        by_process = _pss(subject)
        self._warm_up(subject, drive)
        self._report.memory.append(Memory(subject=subject.name, idle=by_process, idle_sum=_sum(by_process)))

    def _note_memory(self, subjects: Sequence[Subject]) -> None:
        known = {subject.name: subject for subject in subjects}
        for memory in self._report.memory:
            memory.worked = _pss(known[memory.subject])
            memory.worked_sum = _sum(memory.worked)

    # -- scenarios ----------------------------------------------------------------------------------------------------

    def _measure(self, scenario: Scenario, subjects: Sequence[Subject], drive: Driver) -> None:
        outcomes: dict[str, list[Outcome]] = {subject.name: [] for subject in subjects}
        meters = {subject.name: CpuMeter(proc.family(subject.roots)) for subject in subjects}
        rounds = 0
        while rounds < self._plan.rounds and not (self._late() and self._report.measured):
            rounds += 1
            self._tell(f"{scenario.name} ({scenario.meaning}): round {rounds} of {self._plan.rounds}")
            for subject in subjects:
                with meters[subject.name]:
                    outcomes[subject.name].append(drive.ask(_job(scenario, subject)))
        for subject in subjects if rounds else ():
            row = self._row(scenario, subject, outcomes)
            note_cpu(row, meters[subject.name].by_name(), rounds * (scenario.requests + scenario.concurrency))
            self._report.measured.append(row)

    def _row(self, scenario: Scenario, subject: Subject, outcomes: dict[str, list[Outcome]]) -> Measured:
        against = outcomes[subject.against] if subject.against else None
        return summarise(scenario, subject.name, outcomes[subject.name], against)

    def _measure_linearity(self, pair: Pair, chain: Subject, drive: Driver) -> None:
        self._tell(f"linear in {pair.name}: {' and '.join(pair.amounts())}")
        meters, outcomes = [], []
        for script, size in pair.sides():
            meter = CpuMeter(proc.family(chain.roots))
            with meter:
                outcomes.append(drive.ask(Job(target=chain.target, script=script, size=size, requests=_LINEAR_REQUESTS)))
            meters.append(sum(meter.by_name().values()))
        self._report.linear.append(compare(pair, outcomes, meters, _LINEAR_REQUESTS + 1))

    def _late(self) -> bool:
        late = time.monotonic() > self._give_up_at
        self._report.cut_short |= late
        return late


def _job(scenario: Scenario, subject: Subject) -> Job:
    return Job(
        target=subject.target,
        script=scenario.script,
        size=scenario.size,
        concurrency=scenario.concurrency,
        requests=scenario.requests,
    )


def _pss(subject: Subject) -> dict[str, float]:
    return {name: round(size, 1) for name, size in proc.by_name(proc.pss_mb(proc.family(subject.roots))).items()}


def _sum(by_process: dict[str, float]) -> float:
    return round(sum(by_process.values()), 1)


def _machine() -> Machine:
    return Machine(
        cpus=os.cpu_count() or 0,
        system=platform.platform(),
        python=platform.python_version(),
        load_before=_load(),
    )


def _load() -> float:
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0
