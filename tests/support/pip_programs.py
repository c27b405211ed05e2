"""Python programs that tests need beside the project, each pinned and in an environment of its own: installed once by pip.

The folder is what the program's variable says, else `.cache/NAME-VERSION` of the checkout. The install may take minutes, so it is
done by itself in CI only; elsewhere the tests that need the program are skipped with the command that does it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from installed_once import cache_folder, give_up, installed_once

INSTALL_SECONDS = 900


@dataclass(frozen=True)
class PipProgram:
    """`launcher` is the script that `package`, with its extras, installs at that `version`."""

    name: str
    package: str
    version: str
    launcher: str
    variable: str

    @property
    def pinned(self) -> str:
        return f"{self.package}=={self.version}"

    def ensure(self) -> Path:
        """The launcher."""
        folder = cache_folder(self.variable, f"{self.name.lower()}-{self.version}")
        if not (folder / "installed").exists() and not os.environ.get("CI"):
            give_up(f"{self.name} is not installed; try: {self._by_hand(folder)}")
        installed_once(folder, self.pinned, INSTALL_SECONDS, lambda: self._install(folder))
        return _program(folder, self.launcher)

    def _install(self, folder: Path) -> None:
        python = str(_program(folder, "python"))
        for command in ([sys.executable, "-m", "venv", str(folder)], [python, "-m", "pip", "install", "--quiet", self.pinned]):
            try:
                done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=INSTALL_SECONDS)
                problem = done.stderr[-500:] if done.returncode else ""
            except subprocess.TimeoutExpired:
                problem = f"it took more than {INSTALL_SECONDS} s"
            if problem:
                give_up(f"{self.name} is not installed: {problem}; try: {self._by_hand(folder)}")

    def _by_hand(self, folder: Path) -> str:
        pip = _program(folder, "python")
        return f"python3 -m venv {folder} && {pip} -m pip install '{self.pinned}' && touch {folder / 'installed'}"


def _program(folder: Path, name: str) -> Path:
    return folder / "Scripts" / f"{name}.exe" if os.name == "nt" else folder / "bin" / name


LITELLM = PipProgram("LiteLLM", "litellm[proxy]", "1.106.2", "litellm", "CODEX_SHIM_TEST_LITELLM")
MITMPROXY = PipProgram("mitmproxy", "mitmproxy", "11.0.2", "mitmdump", "CODEX_SHIM_TEST_MITMPROXY")
