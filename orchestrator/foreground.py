"""A stage in this terminal: it has the terminal for itself, and its end is ours.

Ctrl-C reaches the stage from the terminal; we only wait, and end it at once when it is pressed again. Other signals are passed on.
Where its files are watched, another process takes over when they change: on the same socket, so that nobody is refused, while the
one before finishes what it streams. Should we be killed, a guard ends the stage, so that its address is free.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from codex_shim.stages.contract.handshake import LISTEN_FD

from . import guard
from .running.starter import START_SECONDS
from .system import can_hand_on_sockets

# What makes a terminal usable, beyond the scrubbed environment that the stage gets in a chain.
_TERMINAL = ("TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "PYTHONBREAKPOINT")
LOOK_SECONDS = 0.3

Look = Callable[[], object]
Tell = Callable[[str], None]
Show = Callable[[bytes], None]


def argv_of(kind: str, argv: Sequence[str]) -> list[str]:
    """How a process of this kind is executed: our modules by this interpreter."""
    return [sys.executable, "-P", "-m", *argv] if kind == "module" else list(argv)


class Watched:
    """What makes a stage one that is restarted on a change: `look` differs when its files do, `listening` is the socket that its
    processes take over from one another, `show` gets each line of their log."""

    def __init__(self, look: Look, listening: socket.socket | None, show: Show) -> None:
        self.look = look
        self.listening = listening
        self.show = show


class Foreground:
    """`cwd` is where the stage's chain would run it; `stopped` tells whether its end was asked for. Raises `OSError`."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, watched: Watched | None = None) -> None:
        self.stopped = False
        self._argv = list(argv)
        self._env = {name: os.environ[name] for name in _TERMINAL if name in os.environ} | dict(env)
        self._cwd = cwd
        self._watched = watched
        self._known = watched.look() if watched else None
        self._finishing: list[_Process] = []
        self._process = self._start()

    def wait(self, interrupted: Callable[[], None], tell: Tell = lambda sentence: None) -> int:
        """The exit code; `interrupted` is called for the first Ctrl-C, `tell` hears of each restart."""
        before = {number: signal.signal(number, self._pass_on) for number in (signal.SIGTERM, *_hang_up())}
        try:
            while True:
                try:
                    return self._until_the_end(tell)
                except KeyboardInterrupt:
                    self._interrupt(interrupted)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        self.stopped = True
        self._process.terminate()

    def _until_the_end(self, tell: Tell) -> int:
        while (code := self._process.wait(LOOK_SECONDS if self._watched else None)) is None:
            self._finishing = [process for process in self._finishing if process.wait(0) is None]
            if self._watched and not self.stopped and (seen := self._watched.look()) != self._known:
                self._known = seen
                self._restart(tell)
        for process in self._finishing:
            process.wait(None)
        return code

    def _restart(self, tell: Tell) -> None:
        """The new one is ready before the old one goes. Where two cannot share a socket, the old one must go first."""
        old = self._process
        if not can_hand_on_sockets():
            tell("Its files have changed; it is restarted.")
            old.terminate()
            old.wait(None)
            self._process = self._start()
            return
        tell("Its files have changed; another process takes over.")
        new = self._start()
        late = old if (up := new.comes_up()) else new
        late.terminate()
        self._finishing.append(late)
        if up:
            self._process = new
        tell("It serves; what still streams finishes in the one before." if up else "It did not come up; the one before goes on.")

    def _start(self) -> _Process:
        return _Process(self._argv, self._env, self._cwd, self._watched)

    def _interrupt(self, interrupted: Callable[[], None]) -> None:
        if self.stopped:
            for process in (self._process, *self._finishing):
                process.kill()
            return
        self.stopped = True
        interrupted()

    def _pass_on(self, number: int, frame: object) -> None:
        self.stop()


class _Process:
    """One process of the stage, and its guard. The log of one that is watched is read here: it says when it is ready."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, watched: Watched | None) -> None:
        given = watched.listening.fileno() if watched and watched.listening else None
        self._popen = subprocess.Popen(  # noqa: S603  # what the user's own pipeline.toml says
            argv,
            env={**env, LISTEN_FD: str(given)} if given is not None else env,
            cwd=cwd,
            pass_fds=[given] if given is not None else [],
            stderr=subprocess.PIPE if watched else None,
        )
        self._guard = subprocess.Popen(  # noqa: S603  # our own interpreter and file
            [sys.executable, "-I", "-S", guard.__file__, str(self._popen.pid)], stdin=subprocess.PIPE, start_new_session=True
        )
        self._decided = threading.Event()  # it is ready, or has ended
        self._ready = False
        self._reader = threading.Thread(target=self._read, args=(watched.show,), daemon=True) if watched else None
        if self._reader is not None:
            self._reader.start()

    def comes_up(self) -> bool:
        """Whether it becomes ready, within the time that a chain would give it."""
        self._decided.wait(START_SECONDS)
        return self._ready

    def wait(self, seconds: float | None) -> int | None:
        """The exit code; None where the time is over."""
        try:
            code = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        if self._reader is not None:
            self._reader.join(1.0)
        with contextlib.suppress(OSError, ValueError):
            self._guard.communicate(b"x")
        return code

    def terminate(self) -> None:
        with contextlib.suppress(OSError):
            self._popen.terminate()

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self._popen.kill()

    def _read(self, show: Show) -> None:
        assert self._popen.stderr is not None
        for line in self._popen.stderr:
            show(line)
            if line.startswith(b"{") and b'"event":"ready"' in line:
                self._ready = True
                self._decided.set()
        self._decided.set()


def _hang_up() -> tuple[signal.Signals, ...]:
    return (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()
