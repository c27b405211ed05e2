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

from installed_once import cache_folder, give_up, installed_once

VERSION = "0.169.0"
PACKAGE = f"@openai/codex@{VERSION}"
INSTALL_SECONDS = 300


def ensure() -> Path:
    """The `codex` program. Several test processes may ask at once; one of them installs."""
    folder = cache_folder("CODEX_SHIM_TEST_CACHE", f"codex-{VERSION}")
    installed_once(folder, PACKAGE, INSTALL_SECONDS, lambda: _install(folder))
    modules = folder / "node_modules"
    launcher = modules / ".bin" / ("codex.cmd" if os.name == "nt" else "codex")
    # The program itself where it is found: npm's launcher starts a Node.js for each turn, only to start this.
    return next(modules.glob("@openai/codex-*/vendor/*/bin/codex"), launcher)


def _install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        _give_up(folder, "npm is missing")
    command = [npm, "install", PACKAGE, "--prefix", str(folder), "--no-audit", "--no-fund"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        _give_up(folder, f"npm failed: {done.stderr[-500:]}")


def _give_up(folder: Path, why: str) -> NoReturn:
    give_up(f"the Codex CLI is not installed, and {why}; try: npm install {PACKAGE} --prefix {folder}")
