"""Expected and got."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.orchestrator.file_tests.judge import Fault, faults
from codex_shim.orchestrator.file_tests.seen import Missing
from codex_shim.orchestrator.settings.case_table import Expectation

REQUEST = {
    "model": "x",
    "stream": True,
    "input": [{"role": "developer", "text": "house rules"}, {"role": "user"}],
    "n": 1,
    "f": 1.0,
}
UNREACHED = Missing("the next hop was not reached; the answer was status 403")


def judge(request: Any = REQUEST, sent: Any = REQUEST, **expectation: Any) -> list[Fault]:
    values = {"request": request, "headers": {"session-id": "s"}, "status": 200, "text": "Hello there"}
    return faults([Expectation(**expectation)], values, {"request": sent, "headers": {}})


@pytest.mark.parametrize(
    "expectation",
    [
        {"path": "model", "equals": "x"},
        {"path": "f", "equals": 1},
        {"path": "stream", "equals": True},
        {"path": "input[*].role", "equals": ["developer", "user"]},
        {"path": "input[0]", "equals": {"text": "house rules", "role": "developer"}},
        {"contains": "house"},
        {"path": "input[0].text", "contains": "rules"},
        {"path": "input[*].role", "contains": "user"},
        {"path": "input", "contains": {"role": "user"}},
        {"lacks": "sk-"},
        {"path": "input", "lacks": {"role": "system"}},
        {"path": "instructions", "lacks": "anything"},
        {"path": "n", "matches": "^1$"},
        {"path": "input", "matches": "^house"},
        {"path": "input", "count": 2},
        {"path": "tools[*]", "count": 0},
        {"path": "tools", "absent": True},
        {"path": "input[0]", "absent": False},
        {"path": "input", "unchanged": True},
        {"path": "tools", "unchanged": True},
        {"of": "status", "equals": 200},
        {"of": "text", "matches": "^Hello", "lacks": "bye"},
        {"of": "headers", "path": "Session-Id", "equals": "s"},
    ],
    ids=str,
)
def test_what_holds_is_no_fault(expectation: dict[str, Any]) -> None:
    assert judge(**expectation) == []


@pytest.mark.parametrize(
    ("expectation", "expected", "got"),
    [
        ({"path": "model", "equals": "y"}, '"y"', '"x"'),
        ({"path": "n", "equals": True}, "true", "1"),
        ({"path": "input[0].text", "contains": "House"}, 'something with "House" in it', '"house rules"'),
        ({"path": "input[0].text", "lacks": "house"}, 'nothing with "house" in it', '"house rules"'),
        ({"path": "model", "matches": "^y"}, "a match of ^y", '"x"'),
        ({"path": "model", "count": 2}, "2 of them", '"x"'),
        ({"path": "model", "absent": True}, "nothing", '"x"'),
        ({"path": "tools", "absent": False}, "something", "nothing"),
        ({"path": "tools", "equals": []}, "[]", "nothing: the path leads nowhere; where it ends there is a table with model, "),
        ({"path": "input[7].role", "equals": "x"}, '"x"', "nothing: the path leads nowhere; where it ends there is a list of 2"),
        ({"path": "tools[*].name", "contains": "shell"}, 'something with "shell" in it', "[]"),
        ({"path": "model", "unchanged": False}, 'anything but what was sent, "x"', '"x"'),
        ({"of": "status", "equals": 404}, "404", "200"),
    ],
    ids=str,
)
def test_a_fault_says_what_was_expected_and_what_came(expectation: dict[str, Any], expected: str, got: str) -> None:
    (fault,) = judge(**expectation)
    assert (fault.expected, fault.got[: len(got)]) == (expected, got)


def test_what_was_changed_is_told_with_what_was_sent() -> None:
    (fault,) = judge(sent={**REQUEST, "model": "before"}, path="model", unchanged=True)
    assert (fault.expected, fault.got) == ('what was sent, "before"', '"x"')


def test_a_hop_that_was_not_reached_is_the_reason() -> None:
    (fault,) = judge(UNREACHED, path="model", equals="x")
    assert fault.got == "nothing: the next hop was not reached; the answer was status 403"
    assert judge(UNREACHED, absent=True) == []
    assert judge(UNREACHED, lacks="secret"), "what was never sent proves nothing of what it lacks"


def test_all_that_one_expectation_asks_must_hold() -> None:
    found = judge(path="model", equals="y", matches="^y", count=1)
    assert [fault.expected for fault in found] == ['"y"', "a match of ^y"]


def test_long_values_are_cut() -> None:
    (fault,) = judge({"model": "y" * 1000}, path="model", equals="x")
    assert fault.got.endswith("… (1002 characters)")
