"""A program that tests need, installed into a cache folder by whichever test process is first, and found there ever after."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from codex_shim.orchestrator.system import Lock
from waiting import until

CHECKOUT = Path(__file__).parents[2]


def cache_folder(variable: str, name: str) -> Path:
    """What the variable says, else a folder of the checkout's `.cache`."""
    return Path(os.environ.get(variable) or CHECKOUT / ".cache" / name).absolute()


def installed_once(folder: Path, what: str, seconds: float, install: Callable[[], None]) -> None:
    """Runs `install` unless that was done before. Others that ask meanwhile wait for it."""
    done = folder / "installed"
    if done.exists():
        return
    lock = Lock(folder / "lock")
    until(lambda: done.exists() or lock.acquire(), f"another test process has installed {what}", seconds)
    try:
        if not done.exists():
            install()
            done.touch()
    finally:
        lock.release()


def give_up(sentence: str) -> NoReturn:
    """Skips the test; in CI, where everything has to be there, it fails."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(sentence)
