"""The programs of macOS that are needed: all go through one function, so that a test can stand in for them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from .bundle import App, AppError

# A bundle of a GiB on a slow disk. What takes longer hangs.
SECONDS = 900.0


class Done(msgspec.Struct, frozen=True):
    """The exit code, and what was printed: standard output, then standard error."""

    code: int
    output: str


Run = Callable[[Sequence[str]], Done]


def run(words: Sequence[str]) -> Done:
    """The real one. A program that is not there, or does not end, is an exit code like any other."""
    try:
        done = subprocess.run(  # noqa: S603  # programs of the system by their full path, and no shell
            words, capture_output=True, text=True, errors="replace", timeout=SECONDS, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        return Done(124, f"it did not end within {SECONDS:g} s")
    except OSError as error:
        return Done(127, error.strerror or str(error))
    return Done(done.returncode, done.stdout + done.stderr)


class Tools:
    """Each method raises `AppError` where the program fails, with the last line of what it said."""

    def __init__(self, run: Run = run) -> None:
        self._run = run

    def copy(self, source: Path, target: Path) -> None:
        """A bundle with everything that macOS knows of its files."""
        self._do("copying the app", "/usr/bin/ditto", str(source), str(target))

    def sign(self, app: App) -> None:
        """For this machine alone (ad hoc): the maker's signature cannot be made by anybody else."""
        self._do("signing the app", "/usr/bin/codesign", "--force", "--deep", "--sign", "-", str(app.path))

    def verify(self, app: App) -> None:
        self._do("checking the signature", "/usr/bin/codesign", "--verify", "--deep", str(app.path))

    def processes(self, app: App) -> list[int]:
        """Those that run a program from within the bundle."""
        done = self._do("listing the processes", "/bin/ps", "-axww", "-o", "pid=,comm=")
        return processes_within(done.output, app.path)

    def _do(self, what: str, *words: str) -> Done:
        done = self._run(words)
        if done.code:
            said = done.output.strip().splitlines()
            raise AppError(f"{what} failed: {words[0]} ended with code {done.code}{': ' + said[-1].strip() if said else ''}")
        return done


def processes_within(listing: str, folder: Path) -> list[int]:
    """Of lines `PID PATH`, as `ps -o pid=,comm=` of macOS prints them; a path may have blanks."""
    found = [line.strip().partition(" ") for line in listing.splitlines()]
    return [int(pid) for pid, _, path in found if pid.isdigit() and path.strip().startswith(f"{folder}/")]
