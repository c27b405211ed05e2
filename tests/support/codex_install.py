"""The pinned Codex CLI: installed once into a cache folder by npm, found there ever after.

The folder is `$CODEX_SHIM_TEST_CACHE`, else `.cache/codex-VERSION` of the checkout. Without npm the tests that need it are skipped
with the command that would install it; in CI they fail instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest
from codex_shim.orchestrator.system import Lock
from waiting import until

VERSION = "0.169.0"
PACKAGE = f"@openai/codex@{VERSION}"
CHECKOUT = Path(__file__).parents[2]
INSTALL_SECONDS = 300


def ensure() -> Path:
    """The `codex` launcher. Several test processes may ask at once; one of them installs."""
    folder = Path(os.environ.get("CODEX_SHIM_TEST_CACHE") or CHECKOUT / ".cache" / f"codex-{VERSION}").absolute()
    launcher = folder / "node_modules" / ".bin" / ("codex.cmd" if os.name == "nt" else "codex")
    done = folder / "installed"
    if not done.exists():
        lock = Lock(folder / "lock")
        until(lambda: done.exists() or lock.acquire(), f"another test process has installed {PACKAGE}", INSTALL_SECONDS)
        try:
            if not done.exists():
                _install(folder)
                done.touch()
        finally:
            lock.release()
    return launcher


def _install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        _give_up(folder, "npm is missing")
    command = [npm, "install", PACKAGE, "--prefix", str(folder), "--no-audit", "--no-fund"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        _give_up(folder, f"npm failed: {done.stderr[-500:]}")


def _give_up(folder: Path, why: str) -> NoReturn:
    sentence = f"the Codex CLI is not installed, and {why}; try: npm install {PACKAGE} --prefix {folder}"
    (pytest.fail if os.environ.get("CI") else pytest.skip)(sentence)
