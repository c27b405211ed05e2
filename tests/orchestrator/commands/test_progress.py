"""What is said while a chain starts and runs, of stages that are in trouble."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.orchestrator.commands.progress import Progress

STATUS = {
    "event": "stage",
    "name": "own",
    "address": "127.0.0.1:1",
    "start_ms": None,
    "restarts": 0,
    "last_exit": None,
    "lines": [],
}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"state": "hung"}, "does not answer; it will be replaced if it goes on like that"),
        ({"state": "waiting", "last_exit": "exit code 3"}, "died (exit code 3); it is being restarted"),
        ({"state": "waiting", "last_exit": "killed by SIGKILL"}, "died (killed by SIGKILL); it is being restarted"),
        (
            {"state": "waiting", "last_exit": "port 4 is in use by x (pid 7)"},
            "port 4 is in use by x (pid 7); it is being restarted",
        ),
        (
            {"state": "waiting", "last_exit": "exit code 1", "lines": ["KeyError: 'x'", '{"event":"bug"}']},
            "\n      │ KeyError: 'x'",
        ),
        ({"event": "slow", "stages": ["own", "router"], "seconds": 4}, "… waiting for own, router (4 s)"),
    ],
)
def test_trouble_is_told_in_words(message: dict[str, Any], words: str) -> None:
    said: list[str] = []
    Progress(foreground=True, echo=said.append).show(STATUS | message)
    assert words in said[0]
