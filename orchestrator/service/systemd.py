"""The user's own systemd, by `systemctl --user`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from . import systemd_unit
from .job import Job, read_env_file
from .manager import State
from .programs import Run, ask

_SHOWN = ("UnitFileState", "ActiveState", "SubState", "MainPID", "Result")


class Systemd:
    kind = "systemd"
    private = False
    tells_variables = True
    asks_chain = False
    after_stop = "It starts again with the next login or boot, or by `codex-shim start`."

    def __init__(self, run: Run, name: str, environ: Mapping[str, str], env_file: Path) -> None:
        config = environ.get("XDG_CONFIG_HOME", "")
        folder = Path(config) if config.startswith("/") else Path.home() / ".config"
        self._env_files = (folder / "environment.d", env_file)
        self.file = folder / "systemd" / "user" / f"{name}.service"
        self.key_remedy = f"write `NAME=key` into {env_file} (a file of yours, mode 0600), or give the rows an `api_key_command`"
        self.logs = f"journalctl --user -u {name} -n 30"
        self._run = run
        self._unit = f"{name}.service"

    def unreachable(self) -> str | None:
        done = self._run(["systemctl", "--user", "show-environment"])
        if not done.code:
            return None
        return (
            f"the systemd of your account cannot be reached: {done.said}; log in as this user itself, not by `su` or `sudo`, "
            "or run `sudo loginctl enable-linger $USER` and log in again"
        )

    def variables(self) -> dict[str, str]:
        folder, own = self._env_files
        found: dict[str, str] = {}
        for path in (*sorted(folder.glob("*.conf")), own):
            with contextlib.suppress(OSError):
                found |= read_env_file(path.read_text("utf-8", "replace"))
        return found

    def content(self, job: Job) -> bytes:
        return systemd_unit.unit(job).encode()

    def differences(self, found: bytes, wanted: bytes) -> list[str]:
        old, new = systemd_unit.settings(found.decode("utf-8", "replace")), systemd_unit.settings(wanted.decode())
        names = [name for name in {**new, **old} if old.get(name) != new.get(name)]
        return names or ([] if found == wanted else ["its comments"])

    def state(self) -> State:
        told = self._run(["systemctl", "--user", "show", self._unit, f"--property={','.join(_SHOWN)}"])
        facts = dict(line.split("=", 1) for line in told.output.splitlines() if "=" in line)
        active = facts.get("ActiveState", "")
        failed = active == "failed" or facts.get("SubState") == "auto-restart"
        return State(
            enabled=facts.get("UnitFileState") == "enabled",
            active=active in ("active", "activating", "reloading", "deactivating"),
            pid=int(facts.get("MainPID") or 0) or None,
            trouble=f"it ended with `{facts.get('Result')}`" if failed else "",
        )

    def register(self) -> None:
        self._ctl("daemon-reload")
        self._ctl("enable", self._unit)

    def start(self, *, changed: bool) -> None:
        self._run(["systemctl", "--user", "reset-failed", self._unit])  # what was counted before a file was mended
        self._ctl("start", "--no-block", self._unit)

    def stop(self) -> None:
        self._ctl("stop", "--no-block", self._unit)

    def unregister(self) -> None:
        self._ctl("disable", self._unit)

    def forget(self) -> None:
        self._ctl("daemon-reload")
        self._run(["systemctl", "--user", "reset-failed", self._unit])
        with contextlib.suppress(OSError):  # folders that hold nothing more are nobody's
            self.file.parent.rmdir()
            self.file.parent.parent.rmdir()

    def hints(self) -> list[str]:
        done = self._run(["loginctl", "show-user", "--property=Linger", "--value"])
        if done.output.strip() == "yes":
            return ["It starts with the machine, before you log in."]
        return ["It starts when you log in and ends when you log out; `loginctl enable-linger` lets it start with the machine."]

    def _ctl(self, *words: str) -> None:
        ask(self._run, "systemctl", "--user", *words)
