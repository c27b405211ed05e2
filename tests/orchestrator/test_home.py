"""Where codex-shim keeps its files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from codex_shim.orchestrator.home import PAUSES, Home, patiently
from custom_stages import ROOT


def test_the_home_is_the_users_unless_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert Home.find(None, {}).root == tmp_path / ".codex-shim"
    assert Home.find(None, {"CODEX_SHIM_HOME": str(tmp_path / "a")}).root == tmp_path / "a"
    assert Home.find(tmp_path / "b", {"CODEX_SHIM_HOME": str(tmp_path / "a")}).root == tmp_path / "b"
    monkeypatch.chdir(tmp_path)
    assert Home.find(Path("here"), {}).root == tmp_path / "here", "and stays there, whatever folder the chain runs in"


def test_d69_an_installed_package_writes_nothing_beside_itself(tmp_path: Path) -> None:
    """As `pip install` lays it out, without the checkout around it."""
    site, user = tmp_path / "site-packages", tmp_path / "user"
    for name in ("stages", "orchestrator"):
        shutil.copytree(ROOT / name, site / "codex_shim" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pipeline.toml", site / "codex_shim" / "orchestrator" / "settings" / "default_pipeline.toml")
    user.mkdir()
    before = sorted(site.rglob("*"))
    environ = {name: os.environ[name] for name in ("SYSTEMROOT", "PATHEXT") if name in os.environ}
    environ |= {
        "HOME": str(user),
        "USERPROFILE": str(user),
        "PYTHONPATH": str(site),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": os.defpath,
    }
    command = [sys.executable, "-m", "codex_shim.orchestrator.cli", "generate"]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert sorted(site.rglob("*")) == before
    assert (user / ".codex-shim" / "custom_model_catalog.json").exists()


def test_a_file_that_another_program_has_open_is_tried_again_and_not_for_ever() -> None:
    pauses: list[float] = []
    refusals = [PermissionError()] * 2

    def act() -> str:
        if refusals:
            raise refusals.pop()
        return "done"

    assert patiently(act, pauses.append) == "done"
    assert pauses == list(PAUSES[:2])
    refusals += [PermissionError()] * (len(PAUSES) + 1)
    with pytest.raises(PermissionError):
        patiently(act, pauses.append)
    with pytest.raises(FileNotFoundError):
        patiently(lambda: Path("/nowhere/at/all").read_bytes(), pauses.append)
    assert pauses == [*PAUSES[:2], *PAUSES], "only what a moment can mend is worth one"
