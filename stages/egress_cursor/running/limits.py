"""How long, how much and how far: the clocks of a run, and the limits its processes live under. Pure; all times in seconds."""

from __future__ import annotations

from typing import NamedTuple

from ..config import Options
from ..failures import Clock

# What the program writes to its own folder is caches and transcripts, far below this.
FILE_BYTES = 1 << 30
# node refuses to start with 16 and raises its soft limit to the hard one by itself.
DESCRIPTORS = 4096
NICE = 5
# Where memory runs out, the system should take these processes first.
OOM_SCORE = 500


class Deadline(NamedTuple):
    """The clock that runs out first, how many seconds it gives, and the moment."""

    clock: Clock
    seconds: float
    at: float


def next_deadline(options: Options, *, started: float, heard: float, begun: bool, open_tools: int) -> Deadline:
    """`started` is when the process was, `heard` when it last wrote something, or when we were last free to listen."""
    total = Deadline("total", options.total_seconds, started + options.total_seconds)
    if not begun:
        own = Deadline("start", options.start_seconds, started + options.start_seconds)
    elif open_tools:
        own = Deadline("tool", options.tool_seconds, heard + options.tool_seconds)
    else:
        own = Deadline("idle", options.idle_seconds, heard + options.idle_seconds)
    return min(own, total, key=lambda deadline: deadline.at)


def of_process(options: Options) -> dict[str, int]:
    """Not RLIMIT_AS: node reserves address space by the GiB and fails without it. Memory is watched instead."""
    return {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": FILE_BYTES,
        "RLIMIT_NOFILE": DESCRIPTORS,
        "RLIMIT_CPU": int(2 * options.total_seconds) + 1,
        "nice": NICE,
        "oom_score_adj": OOM_SCORE,
    }
