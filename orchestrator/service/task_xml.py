"""A task of the Windows Task Scheduler, as `schtasks /Create /XML` takes it ([MS-TSCH] 2.5). Pure.

A task knows no environment of its own: it has its user's. It is restarted for itself only where it could not be started, so a
second trigger starts it every few minutes, which does nothing while it runs. Variables between percent signs are filled in, and
nothing can quote them.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from .job import Job, NotPossibleError

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
MINUTES_BETWEEN_STARTS = 5

# (name, text or children), in the order that the schema demands.
_Node = tuple[str, "str | list[_Node]"]


def task(job: Job, account: str) -> bytes:
    """UTF-16 with its mark, which `schtasks` wants. `account` is `DOMAIN\\user`. Raises `NotPossibleError`."""
    arguments = " ".join(map(_quoted, job.argv[1:]))
    for text in (job.argv[0], arguments, str(job.home)):
        if re.search(r"%[^%]+%|\$\(", text):
            raise NotPossibleError(
                f"Task Scheduler would take a part of `{text}` for a variable; move it to a path without `%` and `$(`"
            )
    root = ElementTree.Element("Task", {"version": "1.2", "xmlns": NAMESPACE})
    _add(root, _nodes(job, account, arguments))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-16", xml_declaration=True)


def _quoted(word: str) -> str:
    """As a Windows program takes its command line apart: a backslash counts only before a quote."""
    if word and not re.search(r'[\s"]', word):
        return word
    return '"' + re.sub(r'(\\*)("|$)', lambda at: at[1] * 2 + ('\\"' if at[2] else ""), word) + '"'


def _nodes(job: Job, account: str, arguments: str) -> list[_Node]:
    again: list[_Node] = [("Interval", f"PT{MINUTES_BETWEEN_STARTS}M"), ("StopAtDurationEnd", "false")]
    return [
        ("RegistrationInfo", [("Description", "codex-shim, models for Codex")]),
        (
            "Triggers",
            [
                ("LogonTrigger", [("Enabled", "true"), ("UserId", account)]),
                ("TimeTrigger", [("Enabled", "true"), ("StartBoundary", "2020-01-01T00:00:00"), ("Repetition", again)]),
            ],
        ),
        (
            "Principals",
            [("Principal", [("UserId", account), ("LogonType", "InteractiveToken"), ("RunLevel", "LeastPrivilege")])],
        ),
        (
            "Settings",
            [
                ("MultipleInstancesPolicy", "IgnoreNew"),
                ("DisallowStartIfOnBatteries", "false"),
                ("StopIfGoingOnBatteries", "false"),
                ("StartWhenAvailable", "true"),
                ("ExecutionTimeLimit", "PT0S"),
                ("Priority", "5"),  # that of an ordinary program; the default is below
                ("RestartOnFailure", [("Interval", "PT1M"), ("Count", "5")]),
            ],
        ),
        ("Actions", [("Exec", [("Command", job.argv[0]), ("Arguments", arguments), ("WorkingDirectory", str(job.home))])]),
    ]


def _add(parent: ElementTree.Element, nodes: list[_Node]) -> None:
    for name, content in nodes:
        child = ElementTree.SubElement(parent, name)
        if name == "Principal":
            child.set("id", "Author")
        elif name == "Actions":
            child.set("Context", "Author")
        if isinstance(content, str):
            child.text = content
        else:
            _add(child, content)
