"""Waiting for something that is about to be true, with a deadline and a sentence for when it is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Far beyond what anything here takes, so that a loaded machine fails no test; a real hang still ends.
PATIENCE = 30.0
_STEP = 0.01


def until(condition: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """The first true value of `condition`. Only for what cannot be waited for otherwise: a process's end, a file, a port."""
    give_up_at = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        assert time.monotonic() < give_up_at, f"not within {seconds:g} s: {what}"
        time.sleep(_STEP)
