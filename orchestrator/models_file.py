"""The user's models.json as a file: a row comes in or goes out in one step, with a dated copy of what was there before.

Rule of this file: what takes its place has been read by the reader of models.json first, and nothing else of it has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from . import dated_copies
from .home import Home, write_private
from .settings import model_edit
from .settings.model_edit import EditError
from .settings.model_key import RunCommand, run_command
from .settings.models import Listed, listed, parse
from .settings.providers import Preset
from .settings.slugs import slugify
from .settings.source import read_text
from .system import Lock

_BOM = b"\xef\xbb\xbf"
_ANY_KEY = "a-key"  # for those that are somewhere else than here


class RowError(Exception):
    """The row cannot be put there. The message is a sentence; nothing was written."""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """`slug` is what the row is or was called, `backup` the copy of what was there before, None where nothing was. `renamed` tells
    which other slugs have become which."""

    path: Path
    slug: str
    backup: Path | None
    renamed: dict[str, str] = {}


class ModelsFile:
    """`path` is what the user calls it; where that is a link, the file behind it is replaced. Every method raises `ConfigError` for
    a file that cannot be read, and `EditError` where it cannot be edited."""

    def __init__(self, path: Path, home: Home, presets: Mapping[str, Preset]) -> None:
        self.path = path
        self._home = home
        self._presets = presets

    def rows(self) -> list[Listed]:
        return listed(self._text(), str(self.path))

    def add(self, row: dict[str, Any], environ: Mapping[str, str], run: RunCommand = run_command) -> Changed:
        """Behind all others. `run` gets the row's own `api_key_command`. Raises `RowError`.

        A variable that is not set here may be set where the chain is started, so that alone is no reason to refuse a row.
        """
        changed: list[Changed] = []

        def edit(before: str) -> str:
            after = model_edit.add(before, row)
            changed.append(self._admitted(row, before, after))
            self._try(row, before, after, environ, run)
            return after

        backup = self._change(edit)
        return msgspec.structs.replace(changed[-1], backup=backup)

    def remove(self, slug: str) -> Changed:
        """The row with this slug; raises `RowError` where there is none any more."""
        renamed: dict[str, str] = {}

        def edit(before: str) -> str:
            rows = listed(before, str(self.path))
            row = next((each for each in rows if each.slug == slug), None)
            if row is None:
                raise RowError(f"{self.path} has no model `{slug}` any more")
            after = model_edit.remove(before, row.place)
            renamed.update(_renamed([each for each in rows if each is not row], listed(after, str(self.path))))
            return after

        backup = self._change(edit)
        return Changed(path=self.path, slug=slug, backup=backup, renamed=renamed)

    def _admitted(self, row: dict[str, Any], before: str, after: str) -> Changed:
        """A row may neither take the name of another one, nor change it."""
        there = listed(before, str(self.path))
        *others, new = listed(after, str(self.path))
        meant = [slugify(row[key]) for key in (("slug",) if row.get("slug") else ("model", "display_name")) if row.get(key)]
        taken = {each.slug for each in there if each.slug}
        if new.slug not in meant or new.slug in taken:
            clash = next((slug for slug in meant if slug in taken), meant[0])
            raise RowError(f"there is a model `{clash}` already; give this one another name with --slug, or remove that one first")
        for old, name in _renamed(there, others).items():
            raise RowError(f"with this row the model `{old}` would be called `{name}`; give that one a `slug` in {self.path} first")
        return Changed(path=self.path, slug=new.slug, backup=None)

    def _try(self, row: dict[str, Any], before: str, after: str, environ: Mapping[str, str], run: RunCommand) -> None:
        """The real reader; the commands of other rows have nothing to do with this one."""
        command = row.get("api_key_command")
        preset = self._presets.get(str(row.get("provider", "")).lower())
        names = [name for name in (row.get("api_key_env"), preset.key_env if preset else None) if name]
        filled = {**environ, **{name: environ.get(name) or _ANY_KEY for name in names}}

        def own(wanted: str | list[str]) -> str:
            return run(wanted) if wanted == command else _ANY_KEY

        found = parse(after, str(self.path), filled, own, self._presets)
        known = parse(before, str(self.path), filled, lambda _: _ANY_KEY, self._presets).problems
        if new := [problem for problem in found.problems if problem not in known]:
            raise RowError("; ".join(problem.sentence for problem in new))

    def _change(self, edit: Callable[[str], str]) -> Path | None:
        lock = Lock(self._home.run / "models.lock")
        if not lock.acquire():
            raise EditError("another codex-shim command is changing it just now; try again")
        try:
            before = self._bytes()
            after = edit(self._text()).encode()
            if self._bytes() != before:
                raise EditError("it was changed by another program just now; try again")
            backup = None if before is None else dated_copies.keep(self._home.backups, self.path.name, before)
            write_private(self.path.resolve(), (_BOM if before and before.startswith(_BOM) else b"") + after)
            return backup
        finally:
            lock.release()

    def _bytes(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    def _text(self) -> str:
        """A file that is not there holds no models."""
        if not self.path.exists():
            return model_edit.NEW
        text = read_text(self.path)
        listed(text, str(self.path))  # what is no list of models is refused as the chain would refuse it
        return text


def _renamed(before: list[Listed], after: list[Listed]) -> dict[str, str]:
    return {old.slug: new.slug for old, new in zip(before, after, strict=True) if old.slug != new.slug}
