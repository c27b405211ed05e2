"""Hands scenes to the runner and hears what was seen. It is a process of its own: what it needs, commands do not import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

RUNNER = "codex_shim.stages.kit.rehearsal"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Of one exchange, as stages/kit/rehearsal/play.py describes it."""

    number: int
    fault: str | None = None
    status: int = 0
    headers: dict[str, str] = {}
    body: str = ""
    broken: str | None = None
    hop: str | None = None
    request: str | None = None
    request_headers: dict[str, str] = {}
    lines: dict[str, str] = {}


def rehearse(scenes: Sequence[dict[str, Any]], patience: float) -> Iterator[Seen]:
    """One `Seen` per exchange, as they end. Leaving early ends the runner, and with it every stage that it has started."""
    argv = [sys.executable, "-P", "-m", RUNNER]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as runner:  # noqa: S603  # our own module
        assert runner.stdin is not None and runner.stdout is not None
        try:
            with runner.stdin:
                runner.stdin.write(msgspec.json.encode({"scenes": list(scenes), "patience": patience}))
            for line in runner.stdout:
                yield msgspec.json.decode(line, type=Seen)
        finally:
            runner.terminate()
