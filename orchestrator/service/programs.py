"""Asking the programs of a service manager: the one place that runs them, so that tests can bring their own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from typing import NamedTuple

# None of them waits for the chain; a bus that hangs must not hang us.
SECONDS = 60
NOT_FOUND, TOO_LATE = 127, 124


class Done(NamedTuple):
    """`said` is what it wrote to its two outputs, the errors first."""

    code: int
    output: str = ""
    errors: str = ""

    @property
    def said(self) -> str:
        """The first line that says something, for a sentence of ours."""
        lines = [line.strip() for line in (*self.errors.splitlines(), *self.output.splitlines())]
        return next((line.rstrip(".") for line in lines if line), f"exit code {self.code}")


Run = Callable[[Sequence[str]], Done]


class ManagerError(Exception):
    """The service manager refused, or cannot be reached; a sentence."""


def run_program(argv: Sequence[str]) -> Done:
    """Never raises: a program that is missing or hangs is told by its code."""
    try:
        done = subprocess.run(  # noqa: S603  # programs of the system, with arguments of ours
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Done(TOO_LATE, errors=f"{argv[0]} did not answer within {SECONDS} s")
    except OSError as error:
        return Done(NOT_FOUND, errors=f"{argv[0]}: {(error.strerror or str(error)).lower()}")
    return Done(done.returncode, done.stdout, done.stderr)


def ask(run: Run, *argv: str) -> str:
    """What it prints. Raises `ManagerError` where it fails."""
    done = run(argv)
    if done.code:
        raise ManagerError(f"`{' '.join(argv)}` failed: {done.said}")
    return done.output
