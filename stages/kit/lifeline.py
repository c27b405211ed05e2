"""When a stage must stop: SIGTERM, Ctrl-C, or the end of its standard input.

The orchestrator holds the other end of that pipe, so no stage outlives it, whatever became of it. While it holds it, it also says
how long streams may go on: SIGTERM, or the line `drain` where there are no signals, asks to finish what runs, however long that
takes; the end of the pipe begins the drain time. A stage whose standard input nobody holds begins it by itself.

This file is the home of the signals and of the platform checks they need.
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import threading

from ..contract.handshake import DRAIN_WORD

STDIN = 0


class Stop:
    """`asked`: take nothing new, and end when all that runs has. `limited`: from then on the drain time counts."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.limited = asyncio.Event()

    def ask(self) -> None:
        """Whoever asks twice does not want to wait."""
        if self.asked.is_set():
            self.limited.set()
        self.asked.set()

    def limit(self) -> None:
        self.limited.set()
        self.asked.set()


def stop_requested(loop: asyncio.AbstractEventLoop) -> Stop:
    """Hears all of it from now on."""
    stop = Stop()
    held = _is_pipe(STDIN)
    if sys.platform == "win32":
        signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(stop.limit))
    else:
        loop.add_signal_handler(signal.SIGTERM, stop.ask if held else stop.limit)
        loop.add_signal_handler(signal.SIGINT, stop.limit)
    if held:
        _watch(loop, stop)
    return stop


def _is_pipe(descriptor: int) -> bool:
    """A terminal or /dev/null is nobody's lifeline: a stage started by hand keeps running."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _watch(loop: asyncio.AbstractEventLoop, stop: Stop) -> None:
    if sys.platform == "win32":  # its loops cannot wait for a pipe, so a thread does
        threading.Thread(target=_block_until_closed, args=(loop, stop), daemon=True, name="lifeline").start()
        return

    def readable() -> None:
        if not (said := os.read(STDIN, 4096)):
            loop.remove_reader(STDIN)
            stop.limit()
        elif DRAIN_WORD in said:
            stop.ask()

    loop.add_reader(STDIN, readable)


def _block_until_closed(loop: asyncio.AbstractEventLoop, stop: Stop) -> None:
    while said := os.read(STDIN, 4096):
        if DRAIN_WORD in said:
            loop.call_soon_threadsafe(stop.ask)
    loop.call_soon_threadsafe(stop.limit)
