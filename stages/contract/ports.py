"""Which port to try for a program that binds its own: it is let go of in between, so two who choose must not choose the same. Pure.

The ports lie below those that systems hand out to whoever asks for none by number. Each process begins in a stretch of its own, so
that only two whose numbers differ by a multiple of `STRETCHES` could meet.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

FIRST = 15_000
STRETCHES = 1_000
EACH = 16


def candidates(pid: int) -> Iterator[int]:
    """All of them again and again, from the process's own stretch on."""
    whole = range(FIRST, FIRST + STRETCHES * EACH)
    begin = pid % STRETCHES * EACH
    return itertools.chain(whole[begin:], itertools.cycle(whole))
