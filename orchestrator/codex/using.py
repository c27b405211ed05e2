"""Making a model the one that Codex starts with: in the configuration that codex-shim keeps for it, and in the user's own one where
`codex-shim enable` has led it here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..home import Home
from ..settings.problems import ConfigError
from ..system import with_variable
from . import files
from .edit import EditError
from .files import Written
from .own_codex import OwnCodex, sentence


class UseError(Exception):
    """The model was not chosen. The message is a sentence that says which file is in the way, and what to do."""


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """`written` is what happened to each file, `led_here` whether the user's own Codex uses the chain; `trouble` is a sentence
    about a configuration of theirs that cannot be read, with which Codex cannot start either."""

    written: list[Written]
    led_here: bool
    trouble: str | None = None

    def command(self, home: Home) -> str:
        """What to type to use it, while the chain runs."""
        return "codex" if self.led_here else with_variable("CODEX_HOME", str(home.codex_home), "codex")


def use(home: Home, environ: Mapping[str, str], catalog: list[dict[str, Any]], url: str, slug: str) -> Used:
    """`catalog` are the entries on offer, `url` is where the chain is or would be. Raises `UseError`, and `OSError` where our own
    files cannot be written."""
    written = files.write(home, catalog, url, home.local_token(), model=slug)
    if broken := next((each for each in written if each.change.startswith("left")), None):
        raise UseError(f"{broken.path} is not valid TOML, so no model can be set in it; mend it, or remove it and try again")
    codex, trouble = OwnCodex(environ, home), None
    try:
        path = _use_in_own(codex, slug, url)
    except ConfigError as error:  # a Codex that cannot start asks nobody
        path, trouble = None, sentence(codex.path, error)
    except (EditError, OSError) as error:
        raise UseError(sentence(codex.path, error)) from error
    if path is not None:
        written.append(Written(str(path), "updated"))
    return Used(written=written, led_here=path is not None or _leads_here(codex), trouble=trouble)


def active(home: Home, environ: Mapping[str, str], url: str) -> tuple[str | None, bool]:
    """The model that Codex starts with, and whether that is the user's own Codex; else the configuration that is kept for it."""
    try:
        codex = OwnCodex(environ, home)
        found = codex.look(url)
    except (ConfigError, EditError, OSError):
        found = None
    if found is not None and found.mine:
        return found.model, True
    return files.chosen(home.codex_config), False


def _use_in_own(codex: OwnCodex, slug: str, url: str) -> Path | None:
    """Where it is enabled, in the way in which it is: its path, if something had to change."""
    now = codex.look(url)
    if now is None or not now.mine or not codex.is_enabled:
        return None
    done = codex.connect(now.way, now.login, slug, url)
    return done.path if done.changed else None


def _leads_here(codex: OwnCodex) -> bool:
    try:
        found = codex.look("")
    except (ConfigError, EditError, OSError):
        return False
    return found is not None and found.mine
