"""The Windows Task Scheduler, by `schtasks`; its state by PowerShell, whose words are the same in every language."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from . import task_xml
from .job import Job
from .manager import State
from .programs import Run, ask


class Tasks:
    kind = "tasks"
    private = True
    tells_variables = False
    asks_chain = True  # `schtasks /End` ends a process in the middle of a stream
    after_stop = "It stays stopped, also after a reboot, until `codex-shim start`."
    key_remedy = "`setx NAME key` keeps a variable for every later login; or give the rows an `api_key_command`"

    def __init__(self, run: Run, name: str, account: str, file: Path, lasting: Mapping[str, str]) -> None:
        self.file = file
        self.logs = "codex-shim pipeline logs"
        self._run = run
        self._name = name
        self._account = account
        self._lasting = lasting

    def unreachable(self) -> str | None:
        done = self._run(["schtasks", "/Query", "/FO", "LIST"])
        return f"Task Scheduler does not answer: {done.said}" if done.code else None

    def variables(self) -> dict[str, str]:
        return dict(self._lasting)

    def content(self, job: Job) -> bytes:
        return task_xml.task(job, self._account)

    def differences(self, found: bytes, wanted: bytes) -> list[str]:
        return [] if found == wanted else ["its contents"]

    def state(self) -> State:
        told = self._run(
            ["powershell", "-NoProfile", "-NonInteractive", "-Command", f"(Get-ScheduledTask -TaskName '{self._name}').State"]
        )
        word = told.output.strip()
        return State(enabled=word in ("Ready", "Running", "Queued"), active=word in ("Running", "Queued"))

    def register(self) -> None:
        ask(self._run, "schtasks", "/Create", "/TN", self._name, "/XML", str(self.file), "/F")

    def start(self, *, changed: bool) -> None:
        ask(self._run, "schtasks", "/Change", "/TN", self._name, "/ENABLE")
        ask(self._run, "schtasks", "/Run", "/TN", self._name)

    def stop(self) -> None:
        ask(self._run, "schtasks", "/Change", "/TN", self._name, "/DISABLE")  # else its second trigger starts it again

    def unregister(self) -> None:
        ask(self._run, "schtasks", "/Delete", "/TN", self._name, "/F")

    def forget(self) -> None:
        """The task is gone already."""

    def hints(self) -> list[str]:
        return [f"It starts when you log in, and within {task_xml.MINUTES_BETWEEN_STARTS} minutes after a crash."]
