"""The user's own Codex: whether and how it leads to the chain of a home, and the changes that connect and disconnect it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..home import Home
from ..settings import toml_file
from ..settings.problems import ConfigError, Problem
from ..settings.source import read_text
from ..system import open_to_others
from . import edit, files
from .connection import Chain, Connected, Way, look
from .edit import EditError
from .user_config import UserConfig


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a change did. `kept` are settings of the user's that are comments now, `back` those that were and are settings again,
    `chosen` those that somebody has set anew since, which therefore stay. `now` is what the file leads to, `other` the home of the
    chain that it led to before, where that is not this one."""

    path: Path
    changed: bool
    backup: Path | None
    kept: list[str] = []
    back: list[str] = []
    chosen: list[str] = []
    now: Connected | None = None
    other: Path | None = None


class OwnCodex:
    """Every method that reads the file raises `ConfigError` where it is no UTF-8 or no TOML, and names the place; every one that
    changes it also `EditError`, and has written nothing then."""

    def __init__(self, environ: Mapping[str, str], home: Home) -> None:
        self._home = home
        self._file = UserConfig.find(environ, home)

    @property
    def path(self) -> Path:
        return self._file.path

    def chain(self, url: str = "") -> Chain:
        """What the configuration should say; `url` is empty where nobody knows it."""
        home = self._home
        return Chain(url=url, token=home.known_token(), catalog=str(home.catalog), slugs=files.listed(home.catalog))

    def read(self) -> dict[str, Any]:
        """Empty where there is no file."""
        return toml_file.document(read_text(self.path), str(self.path))[0] if self.path.exists() else {}

    def look(self, url: str = "") -> Connected | None:
        return look(self.read(), self.chain(url))

    @property
    def is_enabled(self) -> bool:
        """Whether `connect` has written into it, and no `disconnect` has been there since."""
        self.read()
        return edit.is_enabled(self._file.text())

    @property
    def is_exposed(self) -> bool:
        """Whether the local token stands in it, and others than its owner can read that."""
        token = self._home.known_token()
        return bool(token) and token in self._file.text() and open_to_others(self.path)

    def by_hand(self) -> list[tuple[str, int, int]]:
        """The settings that lead to us, though `connect` has not written them: see `edit.places`."""
        chain, _ = self._editing("")
        return edit.places(self._file.text(), chain.is_ours)

    def rehearse(self, way: Way, login: bool, model: str, url: str) -> None:
        """Raises what `connect` would raise, and writes nothing."""
        chain, _ = self._editing(url)
        self._edit(way, login, model, chain)(self._file.text())

    def connect(self, way: Way, login: bool, model: str, url: str) -> Done:
        """`login` is for the way `provider`: Codex's built-in one sends what login there is by itself."""
        chain, other = self._editing(url)
        changed = self._file.change(self._edit(way, login, model, chain))
        text = self._file.text()
        return Done(
            path=self.path,
            changed=changed.changed,
            backup=changed.backup,
            kept=edit.kept(text),
            now=look(tomllib.loads(text), chain),
            other=other,
        )

    def disconnect(self) -> Done:
        """The very same file where nothing of ours is in it."""
        chain, other = self._editing("")
        before = self._file.text()
        kept = edit.kept(before)
        changed = self._file.change(lambda text: edit.disable(text, chain.is_ours))
        after = tomllib.loads(self._file.text())
        chosen = edit.chosen(before, chain.is_ours) if changed.changed else set()
        return Done(
            path=self.path,
            changed=changed.changed,
            backup=changed.backup,
            back=[name for name in kept if name not in chosen],
            chosen=sorted(chosen),
            now=look(after, chain),
            other=other,
        )

    def refresh(self, url: str) -> Done | None:
        """Bring what `connect` has written up to date, in the way and with the model that are there; None where nothing had to
        change. A configuration for the chain of another home is not ours to change."""
        if not self.is_enabled:
            return None
        text, chain = self._file.text(), self.chain(url)
        now = look(self.read(), chain)
        if now is None or not now.mine:
            return None
        model = self._still_offered(now.model, edit.model_set(text), chain.slugs)
        if model is None or (model == now.model and not now.wrong):
            return None
        return self.connect(now.way, now.login, model, url)

    def _editing(self, url: str) -> tuple[Chain, Path | None]:
        """What is ours in the file as it is now, and the home of another chain of ours that it leads to."""
        chain = self.chain(url)
        catalog = chain.elsewhere(self.read().get("model_catalog_json"))
        if catalog is None:
            return chain, None
        return msgspec.structs.replace(chain, others=files.listed(Path(catalog))), Path(catalog).parent

    def _edit(self, way: Way, login: bool, model: str, chain: Chain) -> Any:
        top, provider = chain.top(way, model), chain.provider(way, login=login)
        return lambda text: edit.enable(text, top, provider, chain.is_ours)

    def _still_offered(self, model: str | None, ours: str | None, slugs: list[str]) -> str | None:
        """One that is none of ours is the user's business. For one that is gone, what the generated configuration says: there a
        model stays whose login is not usable just now."""
        if model is not None and (model in slugs or model != ours):
            return model
        return files.chosen(self._home.codex_config) or (slugs[0] if slugs else None)


def sentence(path: Path, error: ConfigError | EditError | OSError) -> str:
    """What is wrong with the file, with its name."""
    if isinstance(error, ConfigError):
        return str(error)
    reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
    return str(Problem(str(path), 0, 0, reason))
