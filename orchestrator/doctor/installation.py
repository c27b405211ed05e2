"""Sections Python, Dependencies and Codex CLI: what codex-shim runs on, and the program it is for."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..codex import cli
from ..system import quick_packages
from .check import Check, Section
from .subject import Subject

OLDEST = (3, 11)
NEEDED = ("aiohttp", "cryptography", "msgspec", "tomlkit", "typer", "zstandard")
CODEX_SECONDS = 5.0

_PYTHON = Section("Python")
_DEPENDENCIES = Section("Dependencies")
_CODEX = Section("Codex CLI")


def python(subject: Subject) -> list[Check]:
    return [judge_python(sys.version_info[:3], sys.executable)]


def judge_python(version: Sequence[int], executable: str) -> Check:
    text = f"Python {'.'.join(map(str, version))} at {executable}"
    if tuple(version[:2]) < OLDEST:
        return _PYTHON.fail(f"{text} is too old", "install Python 3.11 or later, and codex-shim into a virtual environment of it")
    return _PYTHON.ok(text)


def dependencies(subject: Subject) -> list[Check]:
    found = {name: installed(name) for name in (*NEEDED, *quick_packages())}
    return judge_dependencies(found, optional=quick_packages())


def installed(name: str) -> str | None:
    """The version of a distribution that can also be imported."""
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    return version if importlib.util.find_spec(name) else None


def judge_dependencies(found: Mapping[str, str | None], optional: Sequence[str]) -> list[Check]:
    """`found` has a version for each package, None for one that is not there."""
    there = [f"{name} {version}" for name, version in found.items() if version]
    checks = [_DEPENDENCIES.ok(", ".join(there))] if there else []
    for name in (name for name, version in found.items() if not version):
        remedy = f"`{sys.executable} -m pip install {name}`"
        if name in optional:
            checks.append(_DEPENDENCIES.warn(f"{name} is missing; everything works without it, only not as well", remedy))
        else:
            checks.append(_DEPENDENCIES.fail(f"{name} is missing", remedy))
    return checks


def codex_cli(subject: Subject) -> list[Check]:
    found = cli.find(subject.environ)
    if found is None:
        return [_not_found(subject.environ)]
    try:
        done = subprocess.run(  # noqa: S603  # the user's own Codex
            [found, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CODEX_SECONDS,
            stdin=subprocess.DEVNULL,
            env=quiet(subject.environ),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [judge_codex(found, None, "")]
    except OSError as error:
        return [_CODEX.fail(f"{found} cannot be started: {error.strerror}", "`npm install -g @openai/codex`")]
    return [judge_codex(found, done.returncode, done.stdout)]


def quiet(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Codex writes nothing: it puts aliases of itself into its home as soon as it starts, if it has one."""
    return {**environ, "CODEX_HOME": os.devnull}


def judge_codex(path: Path, code: int | None, output: str) -> Check:
    """`code` is None where it did not answer in time."""
    remedy = f"try `{path} --version` yourself; `npm install -g @openai/codex` installs it anew"
    if code is None:
        return _CODEX.warn(f"{path} did not tell its version within {CODEX_SECONDS:g} s", remedy)
    version = re.search(r"\d+(\.\d+)+\S*", output)
    if code or not version:
        return _CODEX.fail(f"{path} does not tell its version (exit code {code})", remedy)
    return _CODEX.ok(f"Codex {version[0]} at {path}")


def _not_found(environ: Mapping[str, str]) -> Check:
    if environ.get("CODEX_BIN"):
        return _CODEX.warn("CODEX_BIN names a file that is not there", "set CODEX_BIN to the Codex CLI, or unset it")
    message = "there is no `codex` on the PATH; models get a short prompt of ours instead of Codex's own"
    return _CODEX.warn(message, "`npm install -g @openai/codex`, or set CODEX_BIN to where it is")
