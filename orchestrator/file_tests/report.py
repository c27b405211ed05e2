"""What became of the tests: as lines, as data for JSON, as JUnit's XML. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import msgspec

from .judge import Fault

# Characters that XML cannot hold, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Of one test. `at` is `file:line`; `error` says why there was nothing to judge; `places` are `file:line` of each fault."""

    name: str
    at: str
    through: tuple[str, ...]
    faults: list[Fault] = []
    places: list[str] = []
    error: str | None = None

    @property
    def passed(self) -> bool:
        return not self.faults and self.error is None


def details(verdict: Verdict) -> list[str]:
    """What went wrong, a line for each part of it."""
    if verdict.error is not None:
        return [f"{verdict.at}: {verdict.error}"]
    lines = []
    for fault, place in zip(verdict.faults, verdict.places, strict=True):
        lines += [f"{place}: {fault.subject}", f"  expected {fault.expected}", f"  got      {fault.got}"]
    return lines


def summary(verdicts: Sequence[Verdict], seconds: float) -> str:
    passed = sum(verdict.passed for verdict in verdicts)
    return f"{passed} passed, {len(verdicts) - passed} failed in {seconds:.1f} s"


def for_programs(path: str, verdicts: Sequence[Verdict], seconds: float) -> dict[str, Any]:
    return {
        "file": path,
        "passed": sum(verdict.passed for verdict in verdicts),
        "failed": sum(not verdict.passed for verdict in verdicts),
        "seconds": round(seconds, 2),
        "tests": [
            {
                "name": verdict.name,
                "at": verdict.at,
                "through": list(verdict.through),
                "verdict": "pass" if verdict.passed else "fail",
                "error": verdict.error,
                "faults": [
                    {"at": place, "of": fault.subject, "expected": fault.expected, "got": fault.got}
                    for fault, place in zip(verdict.faults, verdict.places, strict=True)
                ],
            }
            for verdict in verdicts
        ],
    }


def junit(path: str, verdicts: Sequence[Verdict], seconds: float) -> bytes:
    """One suite; a test that could not be judged is an `error`, one that was wrong a `failure`."""
    errors = sum(verdict.error is not None for verdict in verdicts)
    failures = sum(not verdict.passed for verdict in verdicts) - errors
    totals = {"tests": len(verdicts), "failures": failures, "errors": errors, "time": f"{seconds:.2f}"}
    suite = ElementTree.Element("testsuite", {"name": _xml(path), **{name: str(value) for name, value in totals.items()}})
    for verdict in verdicts:
        case = ElementTree.SubElement(suite, "testcase", classname=_xml(" ".join(verdict.through)), name=_xml(verdict.name))
        if not verdict.passed:
            told = details(verdict)
            kind = "failure" if verdict.error is None else "error"
            ElementTree.SubElement(case, kind, message=_xml(told[0])).text = _xml("\n".join(told))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
