"""A running program as the rest of this package sees it, whichever system started it."""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec

from .pipes import Inlet, Tail

# Letters for the warden; where there is none, the same in other words.
Order = str
GENTLY: Order = "G"  # a last moment to end by itself: it has said all it had to say
NOW: Order = "T"  # asked to end, then made to
AT_ONCE: Order = "K"


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """What is started: `argv` with an absolute program, standard input's whole content, and the limits the tree lives under.

    `limits` are those of limits.py; `memory` in bytes is for the whole tree. Seconds: `linger` for ending by itself, `term` between
    being asked and being made to.
    """

    argv: list[str]
    environ: dict[str, str]
    folder: str
    content: bytes
    limits: dict[str, int]
    memory: int
    linger: float = 0.5
    term: float = 1.5
    memory_every: float = 1.0


class Child(Protocol):
    """`exited` resolves with the program's exit code, negative for a signal, None where nobody can tell any more."""

    pid: int
    stdout: Inlet
    stderr: Tail
    exited: asyncio.Future[int | None]
    outgrew: bool

    async def end(self, order: Order) -> bool:
        """End the whole tree and wait for that. False where something is known to be left. May be called again, to hurry."""
        ...


class StartError(OSError):
    """The program cannot be started. The message says why, without its arguments."""
