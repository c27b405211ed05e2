"""The pinned Codex CLI: installed once into a cache folder by npm, found there ever after.

The folder is `$CODEX_SHIM_TEST_CACHE`, else `.cache/codex-VERSION` of the checkout. Without npm the tests that need it are skipped
with the command that would install it; in CI they fail instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

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
    command = f"npm install {PACKAGE} --prefix {folder}"
    if npm is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"the Codex CLI is missing, and so is npm: {command}")
    subprocess.run(
        [npm, *command.split()[1:3], "--prefix", str(folder), "--no-audit", "--no-fund"], check=True, capture_output=True
    )
