"""What became of the tests, for people and for programs."""

from __future__ import annotations

from xml.etree import ElementTree

from codex_shim.orchestrator.file_tests.judge import Fault
from codex_shim.orchestrator.file_tests.report import Verdict, details, for_programs, junit, summary

PASSED = Verdict(name="good", at="p.toml:1", through=("policy",))
FAILED = Verdict(
    name="bad",
    at="p.toml:9",
    through=("policy", "router"),
    faults=[Fault(0, "request: model", '"x"', '"y\x00"')],
    places=["p.toml:12"],
)
DIED = Verdict(name="dead", at="p.toml:20", through=("own",), error="own: the stage ended\n      │ <boom>")
ALL = [PASSED, FAILED, DIED]


def test_details_name_the_place_and_both_sides() -> None:
    assert details(PASSED) == []
    assert details(FAILED) == ["p.toml:12: request: model", '  expected "x"', '  got      "y\x00"']
    assert details(DIED) == ["p.toml:20: own: the stage ended\n      │ <boom>"]
    assert summary(ALL, 1.23) == "1 passed, 2 failed in 1.2 s"


def test_programs_get_the_same() -> None:
    told = for_programs("p.toml", ALL, 1.234)
    assert (told["passed"], told["failed"], told["seconds"]) == (1, 2, 1.23)
    assert [test["verdict"] for test in told["tests"]] == ["pass", "fail", "fail"]
    assert told["tests"][1]["faults"] == [{"at": "p.toml:12", "of": "request: model", "expected": '"x"', "got": '"y\x00"'}]


def test_junit_tells_failures_from_errors_and_stays_xml() -> None:
    suite = ElementTree.fromstring(junit("p.toml", ALL, 1.0))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    good, bad, dead = suite
    assert (good.get("name"), len(good)) == ("good", 0)
    assert (bad[0].tag, bad[0].get("message")) == ("failure", "p.toml:12: request: model")
    assert dead[0].tag == "error"
    assert "<boom>" in str(dead[0].text)
