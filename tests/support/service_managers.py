"""Service managers that are not there: `systemctl`, `launchctl` and `schtasks` as one function, over a pretended chain.

machine = Machine(kind, tmp_path)      # kind: "systemd", "launchd" or "tasks"
manager = machine.manager("codex-shim")
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

import msgspec
from codex_shim.orchestrator.service import job
from codex_shim.orchestrator.service.job import Job
from codex_shim.orchestrator.service.launchd import Launchd
from codex_shim.orchestrator.service.manager import Manager
from codex_shim.orchestrator.service.programs import Done
from codex_shim.orchestrator.service.systemd import Systemd
from codex_shim.orchestrator.service.tasks import Tasks

KINDS = ("systemd", "launchd", "tasks")
SERVICE_PID, OTHER_PID = 4242, 17
URL = "http://127.0.0.1:8765/v1"
HOME = Path("/home/me/.codex-shim")


def a_job(**changes: object) -> Job:
    plain = Job(
        name="codex-shim",
        argv=job.command("/usr/bin/python3", HOME, None, None),
        environ={"PATH": "/usr/bin"},
        home=HOME,
        env_file=HOME / "service.env",
        log=HOME / "run" / "logs" / "service.log",
        patience=45,
    )
    return msgspec.structs.replace(plain, **changes)


class Machine:
    """Keeps what a service manager would, and is the chain of the home too: `pid` runs it. `refuse` maps a word of a command line
    to what the program then says; `stillborn` services end at once; with `drains` a chain ends only when it has `drained`."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.calls: list[str] = []
        self.refuse: dict[str, str] = {}
        self.pid: int | None = None
        self.enabled = False
        self.loaded = False
        self.failed = False
        self.stillborn = False
        self.lag = 0  # so often `launchctl print` still knows a service that was booted out
        self.linger = False
        self.drains = False

    def manager(self, name: str) -> Manager:
        if self.kind == "systemd":
            return Systemd(self.run, name, {"XDG_CONFIG_HOME": str(self.folder / "config")}, self.folder / "service.env")
        if self.kind == "launchd":
            launchd = Launchd(self.run, name, 501, self.folder / "service.log", pause=lambda seconds: None)
            launchd.file = self.folder / "LaunchAgents" / f"{name}.plist"
            return launchd
        return Tasks(self.run, name, "HERE\\me", self.folder / "task.xml", {"KEPT": "yes"})

    # -- as the chain --------------------------------------------------------------------------------------------------

    def holder(self) -> int | None:
        return self.pid

    def down(self) -> None:
        self.calls.append("the chain is asked to end")
        self.end()

    def url(self) -> str | None:
        return URL if self.pid else None

    # -- as the programs -----------------------------------------------------------------------------------------------

    def run(self, argv: Sequence[str]) -> Done:
        self.calls.append(" ".join(argv))
        for word, said in self.refuse.items():
            if word in argv:
                return Done(1, errors=said + "\n")
        return getattr(self, f"_{argv[0]}")(list(argv[1:]))

    def end(self) -> None:
        self.pid = self.pid if self.drains else None

    def drained(self) -> None:
        self.drains, self.pid = False, None

    def begin(self) -> None:
        self.failed = self.stillborn
        self.pid = None if self.stillborn else self.pid or SERVICE_PID

    def _systemctl(self, words: list[str]) -> Done:
        assert words.pop(0) == "--user"
        verb, running = words[0], self.pid == SERVICE_PID
        if verb == "enable":
            assert (self.folder / "config" / "systemd" / "user" / words[1]).exists()
        if verb in ("enable", "disable"):
            self.enabled = verb == "enable"
        elif verb == "start":
            self.begin()
        elif verb == "stop":
            self.end()
        elif verb == "show":
            state = "failed" if self.failed else "active" if running else "inactive"
            pid = SERVICE_PID if running else 0
            unit = "enabled" if self.enabled else ""
            return Done(0, f"UnitFileState={unit}\nActiveState={state}\nSubState=x\nMainPID={pid}\nResult=exit-code\n")
        else:
            assert verb in ("daemon-reload", "reset-failed", "show-environment"), words
        return Done(0)

    def _loginctl(self, words: list[str]) -> Done:
        return Done(0, "yes\n" if self.linger else "no\n")

    def _launchctl(self, words: list[str]) -> Done:
        verb, running = words[0], self.pid == SERVICE_PID
        if verb == "print" and words[1].count("/") == 2:
            self.lag -= 1
            if not self.loaded and self.lag < 0:
                return Done(113, errors="Could not find service")
            state = f"\tstate = running\n\tpid = {SERVICE_PID}\n" if running else "\tstate = not running\n"
            return Done(0, f"gui/501/x = {{\n{state}\tlast exit code = {1 if self.failed else 0}\n}}\n")
        if verb == "print-disabled":
            return Done(0, "" if self.enabled else '\t"codex-shim" => disabled\n')
        if verb == "enable":
            self.enabled = True
        elif verb == "bootstrap":
            assert not self.loaded
            assert Path(words[2]).exists()
            self.loaded = True
            self.begin()
        elif verb == "kickstart":
            assert self.loaded
            self.begin()
        elif verb == "kill":
            assert (running, words[1]) == (True, "SIGTERM")
            self.end()
        elif verb == "bootout":
            self.loaded, self.lag = False, 3
            self.pid = None if running else self.pid
        else:
            assert verb == "print", words
        return Done(0)

    def _schtasks(self, words: list[str]) -> Done:
        match words[0]:
            case "/Create":
                ElementTree.fromstring(Path(words[words.index("/XML") + 1]).read_bytes())
                self.loaded = self.enabled = True
            case "/Change":
                self.enabled = words[-1] == "/ENABLE"
            case "/Run":
                assert self.enabled
                self.begin()
            case "/Delete":
                self.loaded = self.enabled = False
            case verb:
                assert verb == "/Query"
        return Done(0)

    def _powershell(self, words: list[str]) -> Done:
        assert re.fullmatch(r"\(Get-ScheduledTask -TaskName 'codex-shim[\w-]*'\)\.State", words[-1])
        if not self.loaded:
            return Done(1, errors="No MSFT_ScheduledTask objects found")
        return Done(0, ("Running" if self.pid == SERVICE_PID else "Ready" if self.enabled else "Disabled") + "\n")
