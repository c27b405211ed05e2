"""How findings are shown to people and to programs."""

from __future__ import annotations

from codex_shim.orchestrator.doctor import report
from codex_shim.orchestrator.doctor.check import Section

CHAIN, PORT = Section("Chain"), Section("Port")
FINDINGS = [
    CHAIN.ok("policy is ready", ["it has died before: exit code 1"]),
    CHAIN.warn("router is waiting", "`codex-shim pipeline logs router`"),
    PORT.info("any free port"),
]


def test_sections_are_aligned_blocks_and_the_summary_comes_last() -> None:
    assert list(report.lines(FINDINGS, lambda text, style: text)) == [
        "Chain",
        "  OK    policy is ready",
        "        it has died before: exit code 1",
        "  WARN  router is waiting",
        "        → `codex-shim pipeline logs router`",
        "Port",
        "  INFO  any free port",
        "Summary",
        "  OK    1 ok, 1 warn, 0 fail, 1 info",
    ]


def test_the_status_alone_has_its_colour() -> None:
    painted = list(report.lines(FINDINGS, lambda text, style: f"<{style}>{text}</>"))
    assert painted[3] == "  <yellow>WARN</>  router is waiting"


def test_a_warning_is_no_failure_but_one_fail_is() -> None:
    assert report.healthy(FINDINGS)
    failed = [*FINDINGS, PORT.fail("in use", "stop it")]
    assert not report.healthy(failed)
    assert list(report.lines(failed, lambda text, style: text))[-1] == "  FAIL  1 ok, 1 warn, 1 fail, 1 info"


def test_programs_get_three_keys_and_every_field() -> None:
    told = report.as_json(FINDINGS)
    assert (told["ok"], told["summary"]) == (True, {"ok": 1, "warn": 1, "fail": 0, "info": 1})
    assert told["checks"][1] == {
        "section": "Chain",
        "status": "WARN",
        "message": "router is waiting",
        "remedy": "`codex-shim pipeline logs router`",
        "details": [],
    }
