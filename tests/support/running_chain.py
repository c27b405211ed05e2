"""A real chain, started with the command users start it with, and brought down again with the proof that nothing is left.

chain = start_chain(models=[upstream.model(slug="one")])       # the factory fixture
chain = start_chain(models=[…], pipeline="[pipeline]\\n…")      # with a pipeline.toml of its own
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import process_tree
from codex_shim.orchestrator.control import Connection, NotRunningError
from process_tree import Process
from waiting import PATIENCE, until

CLI = [sys.executable, "-P", "-m", "codex_shim.orchestrator.cli"]
START_SECONDS = 60


class RunningChain:
    """One chain of one home. `url` ends in /v1; `token` is what Codex presents."""

    def __init__(self, home: Path, environ: dict[str, str], pipeline: Path | None) -> None:
        self.home = home
        self.environ = environ
        self.control = Connection(home / "run" / "control.json")
        self.url = ""
        self.token = ""
        self._globals = ["--home", str(home), *(["--pipeline", str(pipeline)] if pipeline else [])]
        self._seen: set[Process] = set()

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a `codex-shim` command for this home."""
        done = subprocess.run(
            [*CLI, *self._globals, *arguments],
            env=self.environ,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )
        assert not check or done.returncode == 0, f"codex-shim {' '.join(arguments)}: {done.returncode}\n{done.stderr}{done.stdout}"
        return done

    def up(self) -> None:
        """Start it (again); `url`, `token` and `pids` are known from here on."""
        self.cli("pipeline", "up", "--detach", "--port", "0")
        self.url = self.status()["url"]
        self.token = (self.home / "token").read_text().strip()
        self.note_processes()

    def status(self) -> dict[str, Any]:
        """What `pipeline status --json` shows, without the price of a command. Raises `NotRunningError`."""
        return self.control.ask_once("status")

    def stage(self, name: str) -> dict[str, Any]:
        """The status of one stage."""
        return next(stage for stage in self.status()["stages"] if stage["name"] == name)

    @property
    def pids(self) -> dict[str, int]:
        """The process of each stage, and of the orchestrator under that name."""
        answer = self.status()
        return {"orchestrator": answer["pid"], **{stage["name"]: stage["pid"] for stage in answer["stages"] if stage["pid"]}}

    @property
    def origin(self) -> str:
        """`url` without its path, for /health and the like."""
        return self.url.removesuffix("/v1")

    def logs(self, stage: str) -> list[dict[str, Any]]:
        """The JSON lines that a stage has logged so far."""
        lines = (self.home / "run" / "logs" / f"{stage}.log").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def all_logs(self) -> str:
        return "\n".join(
            f"[{path.stem}] {path.read_text('utf-8', 'replace')}" for path in (self.home / "run" / "logs").glob("*.log")
        )

    def note_processes(self) -> set[Process]:
        """All processes of this chain that live now. They are remembered: `down` sees to it that each of them has ended."""
        now = {process for pid in self.pids.values() for process in process_tree.family(pid)}
        self._seen |= now
        return now

    def down(self) -> None:
        """Stop it, and assert that no process of it is left. Does nothing for a chain that is down already."""
        try:
            self.note_processes()
            self.control.ask_once("down")
        except (NotRunningError, OSError):
            pass  # it was stopped, or killed, by the test
        try:
            until(lambda: not process_tree.alive(self._seen), "every process of the chain has ended", 4 * PATIENCE)
        except AssertionError:
            left = process_tree.alive(self._seen)
            named = [process_tree.describe(process) for process in left]
            process_tree.kill(left)
            raise AssertionError(f"the chain was stopped, but these processes live on: {named}") from None
        self._seen.clear()


def write_files(home: Path, models: list[Any] | dict[str, Any] | None, pipeline: str | None) -> Path | None:
    """models.json and pipeline.toml in a new home; returns the latter's path."""
    home.mkdir(parents=True, exist_ok=True)
    if models is not None:
        (home / "models.json").write_text(json.dumps(models))
    if pipeline is None:
        return None
    (home / "chain.toml").write_text(pipeline)
    return home / "chain.toml"


def bare_environment(user_home: Path, more: dict[str, str] | None = None) -> dict[str, str]:
    """Nothing of the developer's: no Codex on the PATH, no proxies, no keys, a home of its own."""
    user_home.mkdir(parents=True, exist_ok=True)
    return {"PATH": os.defpath, "HOME": str(user_home), "NO_PROXY": "127.0.0.1,localhost", **(more or {})}
