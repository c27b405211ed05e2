"""When a stage must stop: SIGTERM, Ctrl-C, or the end of its standard input.

The orchestrator holds the other end of that pipe, so no stage outlives it, whatever became of it. This file is the home of the
signals and of the platform checks they need.
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import threading

STDIN = 0


def stop_requested(loop: asyncio.AbstractEventLoop) -> asyncio.Event:
    """An event that is set once, whichever of the three happens first."""
    event = asyncio.Event()
    if sys.platform == "win32":
        signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(event.set))
    else:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, event.set)
    if _is_pipe(STDIN):
        _watch(loop, event)
    return event


def _is_pipe(descriptor: int) -> bool:
    """A terminal or /dev/null is nobody's lifeline: a stage started by hand keeps running."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _watch(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    if sys.platform == "win32":  # its loops cannot wait for a pipe, so a thread does
        threading.Thread(target=_block_until_closed, args=(loop, event), daemon=True, name="lifeline").start()
        return

    def readable() -> None:
        if not os.read(STDIN, 4096):
            loop.remove_reader(STDIN)
            event.set()

    loop.add_reader(STDIN, readable)


def _block_until_closed(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    while os.read(STDIN, 4096):
        pass
    loop.call_soon_threadsafe(event.set)
