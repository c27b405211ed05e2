"""All checks together: in order, side by side, and none of them ends the report."""

from __future__ import annotations

from codex_shim.orchestrator.doctor.check import Check, Section
from codex_shim.orchestrator.doctor.run import SECTIONS, examine
from codex_shim.orchestrator.doctor.subject import Subject


def test_a_check_that_breaks_is_a_failure_of_its_own_and_quotes_nothing(subject) -> None:
    def breaks(subject: Subject) -> list[Check]:
        raise KeyError("sk-marked-secret")

    one, two = examine(subject(), [("Broken", breaks), ("Fine", lambda _: [Section("Fine").ok("so it is")])])
    assert (one.section, one.status) == ("Broken", "FAIL")
    assert "KeyError at test_run.py:" in one.message
    assert "marked" not in repr(one)
    assert (two.section, two.status) == ("Fine", "OK")


def test_every_section_is_there_in_its_order_and_each_trouble_has_a_remedy(subject, said: list[str]) -> None:
    checks = examine(subject(models="{", pipeline="[pipeline]\nlisten = 3\n"))
    sections = list(dict.fromkeys(check.section for check in checks))
    assert sections == [name for name, _ in SECTIONS]
    assert all(check.remedy for check in checks if check.status in ("WARN", "FAIL"))
    assert {check.section for check in checks if check.status == "FAIL"} == {"Settings"}
    assert not said, "nobody waits for cursor-agent where there is none"
