"""What differs between systems: the lock of the running chain, who owns a port, and which spawner fits. The only file that asks."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .home import private_folder

# Whoever asks who holds a lock has it himself for a moment.
TRIES = 5
PAUSE_SECONDS = 0.02


class Lock:
    """Held by the process that runs the chain of one home; the system releases it when the process ends, however it ends.

    The file also names the holder. It is believed only while the lock is held.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None

    def acquire(self) -> bool:
        private_folder(self._path.parent)
        file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        if not any(_lock(file) or time.sleep(PAUSE_SECONDS) for _ in range(TRIES)):
            file.close()
            return False
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def holder(self) -> int | None:
        """The process that runs the chain, None where nobody does."""
        try:
            with self._path.open("r+b") as file:
                if _lock(file):
                    return None
                return int(file.read() or b"0") or None
        except (OSError, ValueError):
            return None


def _lock(file: Any) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            file.seek(1024)  # beyond what is written: a locked region cannot be read there
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(0)
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def can_fork() -> bool:
    """Forking a loaded interpreter is safe on Linux; on macOS system frameworks forbid it, Windows has no fork."""
    return sys.platform == "linux"


def has_modes() -> bool:
    """Whether the modes of a file say who may read it. Windows keeps that in access lists, which a user's folder has right."""
    return sys.platform != "win32"


def open_to_others(path: Path) -> bool:
    """Whether its mode lets anybody but the owner in, where modes say so."""
    try:
        return has_modes() and bool(path.stat().st_mode & 0o077)
    except OSError:
        return False


def has_app_bundles() -> bool:
    """Whether apps are folders whose programs anybody can list, copy and sign (macOS)."""
    return sys.platform == "darwin"


def has_store_apps() -> bool:
    """Whether Codex Desktop comes as a package that the system guards (Windows)."""
    return sys.platform == "win32"


def quick_packages() -> tuple[str, ...]:
    """What is installed for speed and comfort on this system; everything works without."""
    if sys.platform == "win32":
        return ("winloop",)
    return ("uvloop", "setproctitle") if sys.platform == "linux" else ("uvloop",)


def export_line(name: str, more: str) -> str:
    """What to type in this system's shell to add `more` to a variable that holds a list."""
    if sys.platform == "win32":
        return f'$env:{name} = "$env:{name},{more}"'
    return f'export {name}="${{{name}:+${name},}}{more}"'


def port_owner(port: int) -> str | None:
    """The process that listens on a TCP port of this machine, as `name (pid 123)`, where the system tells (Linux)."""
    with contextlib.suppress(OSError):
        if pid := port_holder(port):
            return f"{(Path('/proc') / str(pid) / 'comm').read_text().strip()} (pid {pid})"
    return None


def port_holder(port: int) -> int | None:
    """The process that listens on a TCP port of this machine, where the system tells (Linux)."""
    with contextlib.suppress(OSError):
        inode = _listening_inode(port)
        if inode is not None:
            return _holder_of(f"socket:[{inode}]")
    return None


def _listening_inode(port: int) -> str | None:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:  # 0A: listening
                return fields[9]
    return None


def _holder_of(target: str) -> int | None:
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if any(str(link.readlink()) == target for link in (process / "fd").iterdir()):
                return int(process.name)
    return None


def on_stop_signal(stop: Callable[[], None]) -> None:
    """Call `stop` in the running loop on Ctrl-C, and where there are such signals on SIGTERM and SIGHUP."""
    import asyncio
    import signal

    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(stop))
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
