"""What differs between systems: the lock of the running chain, who owns a port, and which spawner fits. The only file that asks."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
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


def can_hand_on_sockets() -> bool:
    """Whether a process can be started with a listening socket of ours. Where not (Windows), it binds its address itself, so nobody
    else may hold it meanwhile, and two processes cannot take turns at it."""
    return sys.platform != "win32"


def apart() -> dict[str, Any]:
    """What `subprocess.Popen` needs for a process that neither ends with this terminal nor hears its Ctrl-C."""
    if sys.platform == "win32":
        import subprocess

        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def words_of(command: str) -> list[str]:
    """A command line as the user of this system writes one, taken apart. Raises `ValueError` for an open quote."""
    import shlex

    if sys.platform != "win32":
        return shlex.split(command)
    lexer = shlex.shlex(command, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.escape, lexer.commenters, lexer.quotes = True, "", "", '"'  # a backslash is part of a path
    return list(lexer)


def with_variable(name: str, value: str, command: str) -> str:
    """What to type in this system's shell to run `command` with one more variable. `value` may begin with `~`."""
    import shlex

    if sys.platform == "win32":
        path = str(Path(value).expanduser())
        return f"$env:{name} = '{path.replace(chr(39), chr(39) * 2)}'; {command}"
    tilde = "~/" if value.startswith("~/") else ""
    return f"{name}={tilde}{shlex.quote(value.removeprefix(tilde))} {command}"


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


def service_manager(root: Path = Path("/")) -> tuple[str | None, str]:
    """Which kind of program starts a user's services here: `systemd`, `launchd`, `tasks`; None and the reason where none does."""
    if sys.platform == "win32":
        return "tasks", ""
    if sys.platform == "darwin":
        return "launchd", ""
    if (root / "run/systemd/system").is_dir():
        return "systemd", ""
    if any((root / sign).exists() for sign in (".dockerenv", "run/.containerenv", "run/systemd/container")):
        return None, "this is a container, which has no service manager; let it run `codex-shim pipeline up` as its own command"
    with contextlib.suppress(OSError):
        if "microsoft" in (root / "proc/sys/kernel/osrelease").read_text("utf-8").lower():
            return None, "this WSL runs without systemd; put `systemd=true` below `[boot]` in /etc/wsl.conf, then `wsl --shutdown`"
    return None, "this system does not run systemd; have what starts its services run `codex-shim pipeline up` as your user"


def user_number() -> int:
    """The number of the user where users have one."""
    return 0 if sys.platform == "win32" else os.getuid()


def account(environ: Mapping[str, str]) -> str:
    """What Windows calls the user: `DOMAIN\\user`."""
    return "\\".join(environ[name] for name in ("USERDOMAIN", "USERNAME") if environ.get(name))


def windowless(python: str) -> str:
    """The interpreter that opens no window of its own where it is started by no terminal."""
    quiet = Path(python).with_name("pythonw.exe")
    return str(quiet) if sys.platform == "win32" and quiet.exists() else python


def lasting_variables() -> dict[str, str]:
    """The variables that every later login has: Windows keeps them; elsewhere they come from files that only a shell reads."""
    if sys.platform != "win32":
        return {}
    import winreg

    found: dict[str, str] = {}
    machine = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
    for root, path in ((winreg.HKEY_LOCAL_MACHINE, machine), (winreg.HKEY_CURRENT_USER, "Environment")):
        with contextlib.suppress(OSError), winreg.OpenKey(root, path) as key:
            for place in range(winreg.QueryInfoKey(key)[1]):
                name, value, _ = winreg.EnumValue(key, place)
                found[name.upper()] = winreg.ExpandEnvironmentStrings(str(value))
    return found


def speak_utf8() -> None:
    """Our sentences hold arrows and names in every script, and old code pages do not. So a file or pipe on Windows gets UTF-8, and
    nowhere does a character that cannot be shown end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() not in ("utf-8", "utf8"):
            if sys.platform == "win32":
                stream.reconfigure(encoding="utf-8", errors="replace")
            else:
                stream.reconfigure(errors="replace")


def has_codex_desktop() -> bool:
    """Whether Codex Desktop is made for this system."""
    return sys.platform in ("darwin", "win32")


def become(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Let another program take this process's place. Where there is no such thing (Windows), run it and return its exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform != "win32":
        os.execve(argv[0], list(argv), environ)  # noqa: S606  # no shell is wanted
    import subprocess

    process = subprocess.Popen(argv, env=environ)  # noqa: S603  # what the user has asked for
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # the program gets it too, and decides
            return process.wait()
