"""A `cursor-agent` for tests, in a folder of its own. What it can be told stands in fake_cursor_agent_program.py.

agent = FakeCursorAgent(tmp_path / "cursor")
agent.plays({"say": "Let me look."}, {"tool": "read"}, {"say": "All done."}, {"result": {}})
agent.binary                        # for CURSOR_AGENT_BIN and the configuration of the stage
agent.started[0]["argv"]            # what it was given
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import process_tree
from process_tree import Process
from waiting import until

# Imported, not copied: so it is compiled once and not for each of the thousand runs.
PROGRAM = """#!{python} -IS
import sys
sys.path.append({support!r})
import fake_cursor_agent_program
fake_cursor_agent_program.main({folder!r})
"""
Step = dict[str, Any]


class FakeCursorAgent:
    """Changes of the scenario count for whatever is started from then on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.binary = folder / "cursor-agent"
        support = str(Path(__file__).parent)
        self.binary.write_text(PROGRAM.format(python=sys.executable, support=support, folder=str(folder)), "utf-8")
        self.binary.chmod(0o755)
        self.facts: dict[str, Any] = {}
        self.scenario()

    def forget(self) -> None:
        """As it was when it was made, for the next test. Whatever was started must have ended: it would not be known any more."""
        until(lambda: not self.living(), "all that was started has ended")
        for path in self.folder.iterdir():
            if path.name not in (self.binary.name, "scenario.json"):
                path.unlink()
        self.facts = {}
        self.scenario()

    def scenario(self, **facts: Any) -> None:
        """`status`, `models`, `run`, `runs`, `by_prompt`, `before_stdin`, `init`, `init_event`: what is given replaces what was."""
        self.facts |= facts
        beside = self.folder / "scenario.new"
        beside.write_text(json.dumps(self.facts))
        beside.rename(self.folder / "scenario.json")

    def plays(self, *steps: Step) -> None:
        """What each run from now on does."""
        self.scenario(run=list(steps))

    def plays_in_turn(self, *runs: list[Step]) -> None:
        """What the first run from now on does, the second …; those behind the last do what `plays` said."""
        for counted in self.folder.glob("run-*"):
            counted.unlink()
        self.scenario(runs=list(runs))

    def touch(self, name: str) -> None:
        """Open the gate that a step waits at."""
        (self.folder / name).touch()

    def touched(self, name: str) -> bool:
        return (self.folder / name).exists()

    @property
    def record(self) -> list[dict[str, Any]]:
        """Everything it has noted, in order."""
        try:
            text = (self.folder / "record.jsonl").read_text("utf-8")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def noted(self, what: str) -> list[dict[str, Any]]:
        return [entry for entry in self.record if entry["what"] == what]

    @property
    def started(self) -> list[dict[str, Any]]:
        """Every run: argv, env, cwd, limits."""
        return self.noted("started")

    @property
    def prompts(self) -> list[str]:
        return [entry["prompt"] for entry in self.noted("prompt")]

    def living(self) -> list[Process]:
        """What is left of all that was ever started, helpers included; needs no mark in the environment to find them."""
        return [found for pid in {entry["pid"] for entry in self.record} if (found := process_tree.find(pid))]
