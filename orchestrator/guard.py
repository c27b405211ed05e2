"""Ends a stage that is run by hand when the command that runs it is gone, however that ended: `guard.py PID`.

The command holds the other end of standard input. One byte means that all is done; the end without one, that the command was
killed. Then the stage's address must become free, or the chain could not have its place back. It is run by its path, with nothing
but the standard library: it is there only to wait.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

# What streams through a stage that was run by hand is nobody's to wait for: the chain tries only so long to have its place back.
PATIENCE_SECONDS = 1.5


def main() -> None:
    pid = int(sys.argv[1])
    if not os.read(0, 1):
        with contextlib.suppress(OSError):
            end(pid)


def end(pid: int) -> None:
    """Ask it to go, and end it where it does not. Raises `OSError` when it has gone."""
    os.kill(pid, signal.SIGTERM)
    if os.name == "nt":
        return  # there this was the end already
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        time.sleep(0.05)
        os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
