"""What can be told of a stage at any moment: the one record that progress, `status`, and errors are made from."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["stopped", "starting", "ready", "restarting", "waiting", "failed", "stopping", "leased", "asleep", "hung"]

# A request that comes now is served: a sleeping stage starts with it.
UP: frozenset[str] = frozenset({"ready", "asleep"})
SLEEPS = "starts with its first request"

LAST_LINES = 8
CONFIG_ERROR = 78  # sysexits.h; how our stages say that trying again is of no use


class StageStatus(msgspec.Struct, kw_only=True):
    """`state_since` is in seconds since the epoch, `start_ms` how long the latest start took, `last_exit` a sentence.

    `lines` are the last ones the stage printed before it died, kept so that a failure can be explained.
    """

    name: str
    kind: str
    address: str
    state: State = "stopped"
    state_since: float = 0.0
    pid: int | None = None
    restarts: int = 0
    start_ms: float | None = None
    last_exit: str | None = None
    lines: list[str] = []


def describe_exit(code: int) -> str:
    """`exit code 1`, `killed by SIGKILL`."""
    if code == CONFIG_ERROR:
        return "its settings are unusable (exit code 78)"
    if code >= 0:
        return f"exit code {code}"
    import signal

    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
