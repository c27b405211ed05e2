"""Which stage broke the contract: puts together what the probes of a chain say of each request. Pure; the clock is an argument.

A fault is told once, of the stage that made it: what came so into a stage, and out of it again, is not held against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from codex_shim.stages.contract.check.violation import Violation

from . import across
from .across import LATE_SECONDS, Crossed

# The lines of different probes come through different pipes: so long is waited for those that are late.
SETTLE_SECONDS = 0.3
# Requests that are looked at together; of more than that the oldest are forgotten.
MOST_REQUESTS = 2000
# Whoever asks again and again with one id is not compared.
_MOST_CROSSINGS = 64
# What follows from another fault is not a second one.
_CONSEQUENCES = {"closed-early": "terminal", "utf-8": "delta-text"}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`stage` made it, `hop` is where it can be seen."""

    stage: str
    hop: str
    rule: str
    field: str
    sentence: str
    request_id: str


class _Request:
    def __init__(self) -> None:
        self.under_way: dict[str, int] = {}
        self.crossed: dict[str, list[Crossed]] = {}
        self.latest = 0.0
        self.called_deaf: set[str] = set()


class Judging:
    """`feed` it the `crossing` and `crossed` records of all probes; `due` gives what is to be told."""

    def __init__(self) -> None:
        self._requests: dict[str, _Request] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing is waited for."""
        return not self._requests

    def feed(self, record: dict[str, Any], now: float) -> None:
        """Raises `msgspec.ValidationError` for what no probe says."""
        crossed = msgspec.convert(record, Crossed, strict=False)
        request = self._requests.setdefault(crossed.request_id, _Request())
        request.latest = now
        if record["event"] == "crossing":
            request.under_way[crossed.hop] = request.under_way.get(crossed.hop, 0) + 1
        else:
            request.under_way[crossed.hop] = max(0, request.under_way.get(crossed.hop, 0) - 1)
            known = request.crossed.setdefault(crossed.hop, [])
            known.append(crossed) if len(known) < _MOST_CROSSINGS else None
        if len(self._requests) > MOST_REQUESTS:
            del self._requests[next(iter(self._requests))]

    def due(self, now: float) -> list[Finding]:
        """What is known by now; a request of which all has been told is forgotten."""
        found: list[Finding] = []
        for id, request in list(self._requests.items()):
            if now < request.latest + SETTLE_SECONDS:
                continue
            if any(request.under_way.values()):
                found += _deaf(id, request, now)
            else:
                del self._requests[id]
                found += _verdict(id, request)
        return found


def _deaf(id: str, request: _Request, now: float) -> Iterator[Finding]:
    """Stages whose client has gone while something behind them goes on."""
    for crossings in request.crossed.values():
        front = crossings[-1]
        for hop, count in request.under_way.items():
            stage = _behind(front.hop)
            if count and _front(hop) == stage and stage not in request.called_deaf and _left(front, now):
                request.called_deaf.add(stage)
                yield _finding(stage, hop, across.deaf(hop), id)


def _left(front: Crossed, now: float) -> bool:
    return front.outcome == "cancelled" and now > front.ended + LATE_SECONDS + SETTLE_SECONDS


def _verdict(id: str, request: _Request) -> Iterator[Finding]:
    for crossings in request.crossed.values():
        for crossed in crossings:
            yield from _of_stage_behind(id, request, crossed)
            yield from _of_stage_in_front(id, request, crossed)


def _of_stage_behind(id: str, request: _Request, front: Crossed) -> Iterator[Finding]:
    """What the stage that answers at this hop did: to the request that it sent on, and to the answer."""
    stage = _behind(front.hop)
    others = [each for hop, all in request.crossed.items() if _front(hop) == stage for each in all]
    compared = others[-1] if others and len(request.crossed[front.hop]) == 1 else None
    found = across.judge(front, compared) if compared is not None else []
    for violation in found:
        if violation.rule != "cancellation" or stage not in request.called_deaf:
            assert compared is not None
            yield _finding(stage, _place(violation, front, compared), violation, id)
    told = {violation.rule for violation in found} | {violation.rule for other in others for violation in other.answer}
    told |= {_CONSEQUENCES[rule] for rule in told & _CONSEQUENCES.keys()}
    for violation in front.answer:
        if violation.rule not in told:
            yield _finding(stage, front.hop, violation, id)


def _of_stage_in_front(id: str, request: _Request, behind: Crossed) -> Iterator[Finding]:
    """What is wrong with the request at this hop, and was not when it came to the stage that sent it."""
    stage = _front(behind.hop)
    came = {
        violation.rule
        for hop, all in request.crossed.items()
        if _behind(hop) == stage
        for each in all
        for violation in each.request
    }
    for violation in behind.request:
        if violation.rule not in came:
            yield _finding(stage, behind.hop, violation, id)


def _place(violation: Violation, front: Crossed, behind: Crossed) -> str:
    """Where it can be seen: what was done to a request behind the stage, what was done to an answer in front of it."""
    of_request = {"unknown-fields", "unknown-items", "key-order", "cancellation"}
    return behind.hop if violation.rule in of_request or "the request" in violation.sentence else front.hop


def _finding(stage: str, hop: str, violation: Violation, id: str) -> Finding:
    return Finding(
        stage=stage,
        hop=hop,
        rule=violation.rule,
        field=violation.field,
        sentence=f"{hop.replace('>', ' → ')}: {violation.sentence}",
        request_id=id,
    )


def _front(hop: str) -> str:
    return hop.partition(">")[0]


def _behind(hop: str) -> str:
    return hop.partition(">")[2]
