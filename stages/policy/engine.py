"""The rules in their order, each where its condition holds. Pure: where a rule asks a service, the caller does the asking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .conditions import holds
from .config import Ask, Dedupe, Default, Deny, Drop, Inject, Redact, Repair, Replace, Route, Rule, Set, Trim
from .effect import Effect
from .repair.rule import repair
from .request import Request
from .rules import choosing, fields, history, inject, redact

_WORK: dict[type[Rule], Callable[[Any, Request], str | Effect | None]] = {
    Inject: inject.inject,
    Set: fields.set_values,
    Default: fields.default_values,
    Drop: fields.drop,
    Replace: fields.replace,
    Deny: choosing.deny,
    Route: choosing.route,
    Dedupe: history.dedupe,
    Trim: history.trim,
    Redact: redact.redact,
    Repair: repair,
}


def run(rules: Sequence[Rule], request: Request) -> Iterator[Effect | Ask]:
    """What each rule did, as it is done. An `Ask` is given out for the caller to ask and to do what it is told, before it goes on.
    Raises `HopError` where a rule refuses the request."""
    for rule in rules:
        if not holds(rule.when, request):
            continue
        if isinstance(rule, Ask):
            yield rule
            continue
        done = _WORK[type(rule)](rule, request)
        if done is not None:
            yield done if isinstance(done, Effect) else Effect(done)
