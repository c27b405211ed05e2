"""The outcomes as an XML file in the format of JUnit, which CI systems read. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from .advice import ADVICE
from .verdict import Outcome

# What XML 1.0 has no way to say.
_UNSAYABLE = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(stage: str, outcomes: Sequence[Outcome], error: str | None, seconds: float) -> str:
    """`error` is why the checks could not go on."""
    count = {verdict: sum(outcome.verdict == verdict for outcome in outcomes) for verdict in ("fail", "skip")}
    head = (
        f'<testsuite name={_quoted(f"codex-shim stage check {stage}")} tests="{len(outcomes)}" failures="{count["fail"]}" '
        f'skipped="{count["skip"]}" errors="{int(error is not None)}" time="{seconds:.3f}">'
    )
    cases = [_case(stage, outcome) for outcome in outcomes]
    if error is not None:
        cases.append(f'  <testcase classname={_quoted(stage)} name="start"><error message={_quoted(error)}/></testcase>')
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *cases, "</testsuite>", ""])


def _case(stage: str, outcome: Outcome) -> str:
    opening = f"  <testcase classname={_quoted(stage)} name={_quoted(outcome.check)}"
    if outcome.verdict == "pass":
        return opening + "/>"
    words = " ".join(filter(None, [outcome.sentence, ADVICE.get(outcome.check) if outcome.verdict == "fail" else None]))
    inner = "failure" if outcome.verdict == "fail" else "skipped"
    return f"{opening}><{inner} message={_quoted(words)}/></testcase>"


def _quoted(text: str) -> str:
    return quoteattr(_UNSAYABLE.sub("\N{REPLACEMENT CHARACTER}", text))
