"""The user's part of launchd, by `launchctl`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from . import launchd_plist
from .job import Job
from .manager import State
from .programs import ManagerError, Run, ask

# `bootout` returns before launchd has let go of a service, and a `bootstrap` in between fails.
PATIENCE_SECONDS = 20.0
_STEP_SECONDS = 0.2


class Launchd:
    kind = "launchd"
    private = False
    tells_variables = True
    asks_chain = False
    after_stop = "It starts again with the next login, or by `codex-shim start`."
    key_remedy = (
        "give the rows an `api_key_command`, for a key in the keychain `security find-generic-password -w -s NAME`; "
        "variables of a terminal never reach a service"
    )

    def __init__(self, run: Run, name: str, user: int, log: Path, pause: Callable[[float], None] = time.sleep) -> None:
        self.file = Path.home() / "Library" / "LaunchAgents" / f"{name}.plist"
        self.logs = f'tail -n 30 "{log}"'
        self._run = run
        self._domain = f"gui/{user}"
        self._target = f"gui/{user}/{name}"
        self._name = name
        self._pause = pause

    def unreachable(self) -> str | None:
        if self._run(["launchctl", "print", self._domain]).code:
            return "this user is not logged in at the screen of this Mac, so it has no agents; log in there, and try again"
        return None

    def variables(self) -> dict[str, str]:
        return {}

    def content(self, job: Job) -> bytes:
        return launchd_plist.plist(job)

    def differences(self, found: bytes, wanted: bytes) -> list[str]:
        old, new = launchd_plist.settings(found), launchd_plist.settings(wanted)
        names = [name for name in {**new, **old} if old.get(name) != new.get(name)]
        return names or ([] if found == wanted else ["its layout"])

    def state(self) -> State:
        told = self._run(["launchctl", "print", self._target])
        facts = {} if told.code else dict(re.findall(r"^\t(state|pid|last exit code) = (.+)$", told.output, re.M))
        pid = int(facts["pid"]) if facts.get("pid", "").isdigit() else None
        code = facts.get("last exit code", "").partition(":")[0]
        failed = pid is None and code.isdigit() and code != "0"
        return State(
            enabled=self.file.exists() and not self._disabled(),
            active=pid is not None or facts.get("state") in ("running", "spawn scheduled"),
            pid=pid,
            trouble=f"it ended with exit code {code}" if failed else "",
        )

    def register(self) -> None:
        ask(self._run, "launchctl", "enable", self._target)

    def start(self, *, changed: bool) -> None:
        if changed and self._loaded():
            self._boot_out()
        if self._loaded():
            ask(self._run, "launchctl", "kickstart", self._target)
        else:
            ask(self._run, "launchctl", "bootstrap", self._domain, str(self.file))  # which starts it

    def stop(self) -> None:
        ask(
            self._run, "launchctl", "kill", "SIGTERM", self._target
        )  # it ends with exit code 0, which is no reason to start it again

    def unregister(self) -> None:
        if self._loaded():
            self._boot_out()

    def forget(self) -> None:
        """launchd keeps nothing of a service that it has let go of."""

    def hints(self) -> list[str]:
        return ["It starts when you log in."]

    def _loaded(self) -> bool:
        return not self._run(["launchctl", "print", self._target]).code

    def _disabled(self) -> bool:
        told = self._run(["launchctl", "print-disabled", self._domain]).output
        return bool(re.search(rf'"{re.escape(self._name)}" => (disabled|true)', told))

    def _boot_out(self) -> None:
        self._run(["launchctl", "bootout", self._target])
        tries = int(PATIENCE_SECONDS / _STEP_SECONDS)
        for _ in range(tries):
            if not self._loaded():
                return
            self._pause(_STEP_SECONDS)
        raise ManagerError(f"launchd does not let go of {self._name}; try `launchctl bootout {self._target}`, then again")
