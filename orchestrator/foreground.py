"""A stage in this terminal: it has the terminal for itself, and its end is ours.

Ctrl-C reaches the stage from the terminal; we only wait, and end it at once when it is pressed again. Other signals are passed on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# What makes a terminal usable, beyond the scrubbed environment that the stage gets in a chain.
_TERMINAL = ("TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "PYTHONBREAKPOINT")


def argv_of(kind: str, argv: Sequence[str]) -> list[str]:
    """How a process of this kind is executed: our modules by this interpreter."""
    return [sys.executable, "-P", "-m", *argv] if kind == "module" else list(argv)


class Foreground:
    """One process. `cwd` is where its chain would run it; `stopped` tells whether its end was asked for."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        terminal = {name: os.environ[name] for name in _TERMINAL if name in os.environ}
        self.stopped = False
        self._process = subprocess.Popen(argv, env={**terminal, **env}, cwd=cwd)  # noqa: S603  # what the user's own pipeline.toml says

    def wait(self, interrupted: Callable[[], None]) -> int:
        """The exit code; `interrupted` is called for the first Ctrl-C."""
        before = {number: signal.signal(number, self._pass_on) for number in (signal.SIGTERM, *_hang_up())}
        try:
            while True:
                try:
                    return self._process.wait()
                except KeyboardInterrupt:
                    self._interrupt(interrupted)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        self.stopped = True
        with contextlib.suppress(OSError):
            self._process.terminate()

    def _interrupt(self, interrupted: Callable[[], None]) -> None:
        if self.stopped:
            self._process.kill()
            return
        self.stopped = True
        interrupted()

    def _pass_on(self, number: int, frame: object) -> None:
        self.stop()


def _hang_up() -> tuple[signal.Signals, ...]:
    return (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()
