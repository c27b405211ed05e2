"""Python, the packages, and the Codex CLI."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from pathlib import Path

import pytest
from codex_shim.orchestrator.doctor import installation
from codex_shim.orchestrator.system import quick_packages
from systems import needs_posix

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


@pytest.mark.parametrize(("version", "status"), [((3, 10, 9), "FAIL"), ((3, 11, 0), "OK"), ((3, 14, 1), "OK"), ((4, 0, 0), "OK")])
def test_python_is_new_enough_or_not(version: tuple[int, int, int], status: str) -> None:
    check = installation.judge_python(version, "/usr/bin/python3")
    assert (check.status, "/usr/bin/python3" in check.message) == (status, True)


def test_a_missing_package_fails_and_one_for_speed_is_a_warning() -> None:
    found = {"aiohttp": "3.14.5", "msgspec": None, "uvloop": None}
    fine, needed, quick = installation.judge_dependencies(found, optional=["uvloop"])
    assert (fine.status, fine.message) == ("OK", "aiohttp 3.14.5")
    assert (needed.status, needed.remedy) == ("FAIL", f"`{sys.executable} -m pip install msgspec`")
    assert quick.status == "WARN"


def test_the_packages_are_those_of_pyproject() -> None:
    listed = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    names = {re.split(r"[>=;]", each)[0]: ";" in each for each in listed}
    assert {name for name, conditional in names.items() if not conditional} == set(installation.NEEDED)
    assert set(quick_packages()) <= {name for name, conditional in names.items() if conditional}


def test_all_of_them_are_installed_here(subject) -> None:
    assert [check.status for check in installation.dependencies(subject())] == ["OK"]
    assert installation.installed("no-such-package") is None


def stand_in(folder: Path, body: str) -> dict[str, str]:
    """A `codex` of one's own, as CODEX_BIN names it."""
    path = folder / "codex"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return {"CODEX_BIN": str(path)}


@needs_posix
@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("echo codex-cli 0.169.0; echo noise >&2", "OK", "Codex 0.169.0 at"),
        ("echo 0.170.0-alpha.2", "OK", "Codex 0.170.0-alpha.2 at"),
        ("echo no numbers here", "FAIL", "does not tell its version"),
        ("echo 1.2.3; exit 3", "FAIL", "exit code 3"),
    ],
)
def test_the_codex_cli_tells_its_version(subject, tmp_path: Path, body: str, status: str, words: str) -> None:
    (check,) = installation.codex_cli(subject(environ=stand_in(tmp_path, body)))
    assert check.status == status
    assert words in check.message


@needs_posix
def test_a_codex_cli_that_hangs_is_not_waited_for(subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "CODEX_SECONDS", 0.05)
    (check,) = installation.codex_cli(subject(environ=stand_in(tmp_path, "exec sleep 60")))
    assert check.status == "WARN"
    assert "within 0.05 s" in check.message


def test_without_a_codex_cli_it_is_said_how_to_get_one(subject) -> None:
    (check,) = installation.codex_cli(subject())
    assert check.status == "WARN"
    assert "npm install -g @openai/codex" in (check.remedy or "")
    (named,) = installation.codex_cli(subject(environ={"CODEX_BIN": "/no/such/codex"}))
    assert "CODEX_BIN names a file that is not there" in named.message


@needs_posix
def test_codex_is_asked_in_a_home_that_it_cannot_write(subject, tmp_path: Path) -> None:
    """It puts aliases of itself into its home at every start, and doctor changes nothing."""
    (check,) = installation.codex_cli(subject(environ=stand_in(tmp_path, f'[ "$CODEX_HOME" = {os.devnull} ] && echo 1.0')))
    assert check.status == "OK"
