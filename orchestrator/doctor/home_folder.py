"""Section Home: who can read it, what a killed run has left there, and whether there is room to write."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from shlex import quote

from ..home import Home
from ..settings.models import ModelRow
from ..system import open_to_others
from .check import Check, Section
from .subject import Subject

LITTLE_MIB = 64

_HOME = Section("Home")
_DRAFT = re.compile(r"\..+\.[0-9a-f]{8}")  # of `write_private`


def check(subject: Subject) -> list[Check]:
    home = subject.home
    if not home.root.is_dir():
        return [_HOME.info(f"there is no {home.root} yet; `codex-shim start` makes it"), judge_room(home.root, free_mib(home.root))]
    rows = subject.settings.models.rows if subject.settings.models else []
    return [
        judge_modes(home.root, exposed(home)),
        *judge_settings(subject.options.settings, rows),
        *judge_access(home.root, os.access(home.root, os.W_OK | os.X_OK)),
        *judge_leftovers(leftovers(home, subject.running is not None)),
        *judge_slots(home.cursor_slots, subject.running is None and any(home.cursor_slots.glob("*/run.json"))),
        judge_room(home.root, free_mib(home.root)),
    ]


def exposed(home: Home) -> list[Path]:
    """What of ours others could read."""
    folders = (home.root, home.run, home.stages, home.logs, home.codex_home)
    files = (home.token, home.codex_config, home.control, *home.stages.glob("*.json"), *home.logs.glob("*.log"))
    return [path for path in (*folders, *files) if open_to_others(path)]


def judge_modes(root: Path, found: list[Path]) -> Check:
    if not found:
        return _HOME.ok(f"{root} is yours alone")
    return _HOME.warn(f"others can read what is in {root}", f"`chmod -R go= {quote(str(root))}`", list(map(str, found)))


def judge_settings(path: Path, rows: Iterable[ModelRow]) -> list[Check]:
    """A models.json that others can read does harm only where keys stand in it."""
    keys = any(row.key_source == "api_key in models.json" for row in rows)
    if not (keys and open_to_others(path)):
        return []
    return [_HOME.warn(f"{path} holds keys, and others can read it", f"`chmod 600 {quote(str(path))}`")]


def judge_access(root: Path, writable: bool) -> list[Check]:
    return (
        []
        if writable
        else [_HOME.fail(f"{root} cannot be written", f"`sudo chown -R $USER {quote(str(root))}`, or use another `--home`")]
    )


def leftovers(home: Home, running: bool) -> list[Path]:
    """What a run that was killed has not taken away: files half written, and configurations of stages that may hold a key."""
    folders = [folder for folder in (home.root, home.run, home.codex_home) if folder.is_dir()]
    drafts = [path for folder in folders for path in folder.iterdir() if _DRAFT.fullmatch(path.name)]
    return drafts if running else [*drafts, *sorted(home.stages.glob("*.json"))]


def judge_leftovers(found: list[Path]) -> list[Check]:
    if not found:
        return []
    remedy = f"`rm {' '.join(quote(str(path)) for path in found)}`"
    return [_HOME.warn("a run that was killed has left files behind, which may hold keys", remedy)]


def judge_slots(folder: Path, cut_off: bool) -> list[Check]:
    """Each run of cursor-agent has a mark in its slot for as long as it goes on."""
    if not cut_off:
        return []
    remedy = f"`codex-shim start`, which clears them, or `rm -r {quote(str(folder))}`"
    return [_HOME.warn("runs of cursor-agent were cut off, and their folders may hold prompts", remedy)]


def free_mib(path: Path) -> int:
    """The room on the disk of this folder, or of the first one above it that is there."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    return shutil.disk_usage(there).free // 2**20


def judge_room(root: Path, free: int) -> Check:
    if free < 1:
        return _HOME.fail(f"the disk of {root} is full", "make room on it")
    if free < LITTLE_MIB:
        return _HOME.warn(f"the disk of {root} has only {free} MiB left", "make room on it")
    return _HOME.ok(f"{free} MiB are free on its disk")
