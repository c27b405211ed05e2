"""Runs one program and answers for all that it starts: `python -I -S warden.py DESCRIPTOR NAME=NUMBER … -- PROGRAM …`.

It stands between the worker and `cursor-agent`, because only a process with a single purpose can do this well: it is the subreaper
of the tree (Linux), so that whoever forks, leaves its session or loses its parent becomes a child of this process and is found,
ended and reaped here. It holds one end of a socket to the worker. Where that closes, the worker is gone, however it ended, and the
tree goes too. Standard input, output and error are the program's alone.

The numbers: `linger`, `term`, `last` and `memory_every` in seconds, `memory` in bytes, and the limits as limits.py makes them. From
the worker come single letters, `G` to end after a last moment of its own, `T` to end, `K` to end at once; the end of the connection
means `T`. To the worker go lines: `exit CODE` (negative for a signal) or `failed ERRNO` of the program, `memory` where the tree
outgrew its share, and last `left COUNT`, of processes that would not end.

Nothing of ours is imported: it is executed by its path, by an interpreter that looks at no other place. And of the standard library
only what is quick to import, since every run waits for it: enum, behind `signal`, and re, behind `json`, would double its start.
"""

from __future__ import annotations

import _signal as signal  # pyright: ignore[reportMissingImports]
import os
import resource
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36
_PAGE = os.sysconf("SC_PAGE_SIZE")
_STEP = 0.02
_SEES_ALL = os.path.isdir("/proc/self")  # noqa: PTH112  # pathlib takes longer to import than all the rest to run


class Warden:
    """One program and its descendants. Single-threaded; every wait is a `select` that the end of a child or the worker wakes."""

    def __init__(self, control: int, settings: dict[str, float]) -> None:
        self._control = control
        self._settings = settings
        self._wake = _wake_on_children()
        self._leader = 0
        self._exited = False
        self._alone = False
        self._order = ""

    def run(self, argv: list[str]) -> None:
        prctl = _prctl()
        prctl(_SET_CHILD_SUBREAPER, 1)
        try:
            self._leader = _start(argv, self._control, prctl, self._settings)
            self._watch()
        finally:
            self._end()
            self._say(f"left {0 if self._alone else len(self._family())}")

    def _watch(self) -> None:
        """Until the worker says something, or the tree takes more memory than it may."""
        look_at = time.monotonic() + self._settings["memory_every"]
        while not self._order:
            self._rest(look_at - time.monotonic())
            if time.monotonic() >= look_at:
                if self._memory() > self._settings["memory"]:
                    self._say("memory")
                    self._order = "K"
                look_at = time.monotonic() + self._settings["memory_every"]

    def _end(self) -> None:
        if self._order == "G":
            self._order = ""
            self._wait(self._settings["linger"], lambda: self._exited or bool(self._order))
        if self._order != "K":
            self._order = ""
            self._signal(signal.SIGTERM)
            self._wait(self._settings["term"], lambda: self._order == "K")
        if not _SEES_ALL:
            self._signal(signal.SIGKILL)
        give_up_at = time.monotonic() + self._settings["last"]
        while not self._alone and time.monotonic() < give_up_at:
            self._signal(signal.SIGKILL)
            self._wait(_STEP, lambda: False)

    def _wait(self, seconds: float, enough: Callable[[], bool]) -> None:
        until = time.monotonic() + seconds
        self._reap()
        while not self._alone and not enough() and time.monotonic() < until:
            self._rest(until - time.monotonic())

    def _rest(self, seconds: float) -> None:
        """Sleep until something happens, and take note of it."""
        watched = [self._wake] if self._control < 0 else [self._wake, self._control]
        readable, _, _ = select.select(watched, [], [], max(0.0, seconds))
        if self._wake in readable:
            os.read(self._wake, 4096)
        if self._control in readable:
            self._listen()
        self._reap()

    def _listen(self) -> None:
        try:
            said = os.read(self._control, 64).decode("ascii", "replace")
        except OSError:
            said = ""
        self._order = said[-1:] or "T"
        if not said:
            self._control = -1  # the worker is gone

    def _reap(self) -> None:
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._leader:
                    self._exited = True
                    self._say(f"exit {os.waitstatus_to_exitcode(status)}")
        except ChildProcessError:
            self._alone = True

    def _signal(self, number: int) -> None:
        if self._leader and not (self._exited and _SEES_ALL):  # a group is the program's for sure as long as that is not reaped
            _send(os.killpg, self._leader, number)
        for pid in self._family():
            _send(os.kill, pid, number)

    def _family(self) -> list[int]:
        """Every living descendant, where the system tells; elsewhere what is in the program's group goes with `killpg`."""
        parents = _parents()
        found, waiting = [], [os.getpid()]
        while waiting:
            current = waiting.pop()
            children = [pid for pid, parent in parents.items() if parent == current]
            found += children
            waiting += children
        return found

    def _memory(self) -> int:
        return sum(_resident(pid) for pid in self._family())

    def _say(self, line: str) -> None:
        try:
            os.write(self._control, line.encode() + b"\n")
        except OSError:
            self._control = -1  # nobody is left to be told


def _start(argv: list[str], control: int, prctl: Callable[[int, int], None], limits: dict[str, float]) -> int:
    warden = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(argv, control, warden, prctl, limits)
    for descriptor in (0, 1, 2):  # else a pipe of the program would not end with it
        os.dup2(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), descriptor)
    return pid


def _become(argv: list[str], control: int, warden: int, prctl: Callable[[int, int], None], limits: dict[str, float]) -> NoReturn:
    try:
        os.setpgid(0, 0)
        prctl(_SET_PDEATHSIG, signal.SIGKILL)
        _limit(limits)
        for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD"):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        if os.getppid() == warden:
            os.execve(argv[0], argv, os.environ)  # noqa: S606  # a program, never a shell
    except OSError as error:
        os.write(control, f"failed {error.errno}\n".encode())
    finally:
        os._exit(127)


def _limit(limits: dict[str, float]) -> None:
    """Whatever a system does not allow is left as it is: a limit is a safety net, not a condition."""
    for name, value in limits.items():
        if name.startswith("RLIMIT_"):
            _attempt(lambda name=name, value=value: _lower(getattr(resource, name), int(value)))
    _attempt(lambda: os.nice(int(limits["nice"])))
    _attempt(lambda: _write("/proc/self/oom_score_adj", f"{limits['oom_score_adj']:.0f}"))


def _lower(number: int, value: int) -> None:
    hard = resource.getrlimit(number)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(number, (value, value))


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def _attempt(change: Callable[[], object]) -> None:
    try:
        change()
    except (OSError, ValueError, AttributeError):
        return


def _wake_on_children() -> int:
    """A descriptor that is readable when a child ends. What ends other programs is ignored: the worker says it by a letter."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    return read


def _prctl() -> Callable[[int, int], None]:
    """Linux's own; elsewhere nothing happens."""
    try:
        import ctypes

        call = ctypes.CDLL(None).prctl
    except (ImportError, AttributeError, OSError):
        return lambda option, value: None
    return lambda option, value: call(option, value, 0, 0, 0)


def _parents() -> dict[int, int]:
    """The parent of every process, by /proc. Zombies are left out: they are dead, and only wait to be read of."""
    found: dict[int, int] = {}
    try:
        names = os.listdir("/proc")  # noqa: PTH208  # no pathlib here: see above
    except OSError:
        return found
    for name in names:
        if name.isdigit() and (fields := _fields(f"/proc/{name}/stat")) and fields[0] != "Z":
            found[int(name)] = int(fields[1])
    return found


def _fields(path: str) -> list[str]:
    """From the state on; the name before it may hold anything."""
    return _read(path).rpartition(")")[2].split()


def _resident(pid: int) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE if len(fields) > 1 else 0


def _read(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(descriptor, 4096).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _send(how: Callable[[int, int], None], target: int, number: int) -> None:
    try:
        how(target, number)
    except OSError:
        return


def main(words: list[str]) -> None:
    control, split = int(words[0]), words.index("--")
    os.set_inheritable(control, False)
    settings = {name: float(value) for name, _, value in (word.partition("=") for word in words[1:split])}
    Warden(control, settings).run(words[split + 1 :])


if __name__ == "__main__":
    main(sys.argv[1:])
