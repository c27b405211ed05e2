"""The task, against what the schema of Task Scheduler demands ([MS-TSCH] 2.5): order, values, encoding."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from codex_shim.orchestrator.service import task_xml
from codex_shim.orchestrator.service.job import NotPossibleError, command
from service_managers import a_job

# Of those parts whose type is a sequence, the order of the children; the others may come in any.
SEQUENCES = {
    "LogonTrigger": ["Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "UserId", "Delay"],
    "TimeTrigger": ["Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "RandomDelay"],
}
PYTHON = "C:\\Program Files\\Python & Co\\pythonw.exe"
HOME = Path('C:\\Users\\Jo "J" Ö\\.codex-shim')


def tag(element: ElementTree.Element) -> str:
    return element.tag.removeprefix(f"{{{task_xml.NAMESPACE}}}")


def a_task(**changes: object) -> ElementTree.Element:
    job = a_job(**{"argv": command(PYTHON, HOME, None, None), "home": HOME, **changes})
    return ElementTree.fromstring(task_xml.task(job, "HERE\\Jö"))


def texts(task: ElementTree.Element) -> dict[str, str]:
    """By path without the namespace."""
    found = {}

    def walk(element: ElementTree.Element, path: str) -> None:
        found[path] = element.text or ""
        for child in element:
            walk(child, f"{path}/{tag(child)}")

    walk(task, "")
    return found


def test_the_file_is_what_schtasks_can_read() -> None:
    text = task_xml.task(a_job(), "HERE\\me")
    assert text.startswith(b"\xff\xfe")
    assert text.decode("utf-16").startswith("<?xml version='1.0' encoding='utf-16'?>")
    task = ElementTree.fromstring(text)
    assert (tag(task), task.get("version")) == ("Task", "1.2")
    assert [tag(child) for child in task] == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
    for element in task.iter():
        if order := SEQUENCES.get(tag(element)):
            places = [order.index(tag(child)) for child in element]
            assert places == sorted(places), tag(element)


def test_it_runs_as_its_user_at_login_without_limit_and_again_after_a_crash() -> None:
    found = texts(a_task())
    assert found["/Triggers/LogonTrigger/UserId"] == found["/Principals/Principal/UserId"] == "HERE\\Jö"
    assert found["/Principals/Principal/LogonType"] == "InteractiveToken"
    assert found["/Principals/Principal/RunLevel"] == "LeastPrivilege"
    assert (found["/Settings/ExecutionTimeLimit"], found["/Settings/MultipleInstancesPolicy"]) == ("PT0S", "IgnoreNew")
    assert found["/Settings/DisallowStartIfOnBatteries"] == found["/Settings/StopIfGoingOnBatteries"] == "false"
    assert found["/Triggers/TimeTrigger/Repetition/Interval"] == "PT5M"
    assert 1 <= int(found["/Settings/RestartOnFailure/Count"]) <= 255


def test_paths_are_quoted_as_a_windows_program_reads_them() -> None:
    found = texts(a_task())
    assert found["/Actions/Exec/Command"] == PYTHON
    home = '"C:\\Users\\Jo \\"J\\" Ö\\.codex-shim"'
    assert found["/Actions/Exec/Arguments"] == f"-P -m codex_shim.orchestrator.cli --home {home} pipeline up"
    assert found["/Actions/Exec/WorkingDirectory"] == str(HOME)
    ending = texts(a_task(argv=["p", "C:\\a b\\", "C:\\c\\", ""]))["/Actions/Exec/Arguments"]
    assert ending == '"C:\\a b\\\\" C:\\c\\ ""', "a backslash before the closing quote is doubled"


@pytest.mark.parametrize("home", ["C:\\%TEMP%\\x", "C:\\$(Arg0)"])
def test_what_task_scheduler_would_fill_in_is_refused(home: str) -> None:
    with pytest.raises(NotPossibleError, match="for a variable"):
        a_task(argv=["p", home])
    a_task(argv=["p", "C:\\100%\\x"])
