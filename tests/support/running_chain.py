"""A real chain, started with the command users start it with, and brought down again with the proof that nothing is left.

On its way every output of a command and what the system shows of every process is searched for secrets (marked.py).

chain = start_chain(models=[upstream.model(slug="one")])       # the factory fixture
chain = start_chain(models=[…], pipeline="[pipeline]\\n…")      # with a pipeline.toml of its own
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import marked
import process_tree
import warm_commands
from codex_shim.orchestrator.control import Connection, NotRunningError
from process_tree import Process
from waiting import PATIENCE, until

COMMAND_SECONDS = 120

StartChain = Callable[..., "RunningChain"]


class RunningChain:
    """One chain of one home. `url` ends in /v1; `token` is what Codex presents."""

    def __init__(self, home: Path, environ: dict[str, str], pipeline: Path | None) -> None:
        self.home = home
        self.environ = environ
        self.control = Connection(home / "run" / "control.json")
        self.url = ""
        self.token = ""
        self.said = ""  # what the start has told
        self._globals = ["--home", str(home), *(["--pipeline", str(pipeline)] if pipeline else [])]
        self._seen: set[Process] = set()
        self._shown: set[str] = set()

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a `codex-shim` command for this home. None shows a secret, whatever becomes of it."""
        done = warm_commands.run([*self._globals, *arguments], self.environ, self.home, COMMAND_SECONDS)
        marked.refuse(done.stdout + done.stderr, f"the output of `codex-shim {' '.join(arguments[:2])} …`")
        assert not check or done.returncode == 0, f"codex-shim {' '.join(arguments)}: {done.returncode}\n{done.stderr}{done.stdout}"
        return done

    def up(self) -> None:
        """Start it (again); `url`, `token` and `pids` are known from here on."""
        self.said = self.cli("pipeline", "up", "--detach", "--port", "0").stderr
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
        """The JSON lines that a stage has logged so far. A line comes a moment after what it tells of: wait for it."""
        file = self.home / "run" / "logs" / f"{stage}.log"
        text = file.read_text("utf-8") if file.exists() else ""
        whole = text[: text.rfind("\n") + 1]  # of what is being written, a part may be there
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def all_logs(self) -> str:
        return "\n".join(
            f"[{path.stem}] {path.read_text('utf-8', 'replace')}" for path in (self.home / "run" / "logs").glob("*.log")
        )

    def note_processes(self) -> set[Process]:
        """All processes of this chain that live now. They are remembered: `down` sees to it that each of them has ended, and that
        none showed a secret. Worth a call while something short-lived runs."""
        pids = self.pids
        now = process_tree.family(*pids.values())
        self._seen |= now
        self._shown |= {words for process in now for words in self._secrets_of(process, pids["orchestrator"])}
        return now

    def _secrets_of(self, process: Process, orchestrator: int) -> Iterator[str]:
        """What the user put into the environment, the orchestrator was started with; nobody else is."""
        given = {f"{name}={value}".encode() for name, value in self.environ.items()} if process.pid == orchestrator else set()
        for place, entry in process_tree.shown(process):
            if marked.shown_in(entry) and entry not in given:
                yield f"a secret is in the {place} of {process_tree.name(process)} (pid {process.pid})"

    def down(self) -> None:
        """Stop it, and assert that no process of it is left and that none showed a secret. May be called again."""
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
        shown, self._shown = sorted(self._shown), set()
        assert not shown, shown


@contextmanager
def chains(folder: Path) -> Iterator[StartChain]:
    """`start(models=[…], pipeline="…", environ={…})` → a running chain with a home of its own below `folder`.

    `models` is written as models.json, `pipeline` as pipeline.toml (the packaged one if None), `environ` is added to an environment
    that holds nothing of the developer's. At the end each chain is brought down, whatever becomes of the others.
    """
    numbers = itertools.count()
    with ExitStack() as running:

        def start(
            models: list[Any] | dict[str, Any] | None = None, pipeline: str | None = None, environ: dict[str, str] | None = None
        ) -> RunningChain:
            home = folder / f"shim-{next(numbers)}"
            chain = RunningChain(home, bare_environment(folder / "user", environ), write_files(home, models, pipeline))
            running.callback(chain.down)
            chain.up()
            return chain

        yield start


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
    windows = {name: os.environ[name] for name in ("SYSTEMROOT", "COMSPEC", "PATHEXT") if name in os.environ}
    home = {"HOME": str(user_home)} | ({"USERPROFILE": str(user_home)} if windows else {})
    return {**windows, **home, "PATH": os.defpath, "NO_PROXY": "127.0.0.1,localhost", **(more or {})}
