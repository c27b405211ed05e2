"""LiteLLM with its proxy, pinned, in an environment of its own: installed once by pip, found there ever after.

The folder is `$CODEX_SHIM_TEST_LITELLM`, else `.cache/litellm-VERSION` of the checkout. The install takes minutes, so it is done by
itself in CI only; elsewhere the tests that need it are skipped with the command that does it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from installed_once import cache_folder, give_up, installed_once

VERSION = "1.106.2"
PACKAGE = f"litellm[proxy]=={VERSION}"
INSTALL_SECONDS = 900


def ensure() -> Path:
    """The `litellm` launcher."""
    folder = cache_folder("CODEX_SHIM_TEST_LITELLM", f"litellm-{VERSION}")
    if not (folder / "installed").exists() and not os.environ.get("CI"):
        give_up(f"LiteLLM is not installed; try: {_by_hand(folder)}")
    installed_once(folder, PACKAGE, INSTALL_SECONDS, lambda: _install(folder))
    return _program(folder, "litellm")


def _program(folder: Path, name: str) -> Path:
    return folder / "Scripts" / f"{name}.exe" if os.name == "nt" else folder / "bin" / name


def _install(folder: Path) -> None:
    pip = str(_program(folder, "python"))
    for command in ([sys.executable, "-m", "venv", str(folder)], [pip, "-m", "pip", "install", "--quiet", PACKAGE]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=INSTALL_SECONDS)
            problem = done.stderr[-500:] if done.returncode else ""
        except subprocess.TimeoutExpired:
            problem = f"it took more than {INSTALL_SECONDS} s"
        if problem:
            give_up(f"LiteLLM is not installed: {problem}; try: {_by_hand(folder)}")


def _by_hand(folder: Path) -> str:
    pip = _program(folder, "python")
    return f"python3 -m venv {folder} && {pip} -m pip install '{PACKAGE}' && touch {folder / 'installed'}"
