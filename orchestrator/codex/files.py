"""The files for Codex, all below our own home: the catalog, and a Codex home whose configuration points at the chain.

Nothing of the user's own `~/.codex` is read or written here; trying codex-shim is `CODEX_HOME=~/.codex-shim/codex-home codex`.
Codex itself writes into that configuration (trusted folders, the chosen model, …), so only the keys that are ours are set in it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..home import Home, write_private
from .connection import Chain
from .edit import PROVIDER

_HEADER = """\
# Written by codex-shim. Use it with CODEX_HOME=(this folder); your own ~/.codex is not touched.
# codex-shim keeps `model_provider`, `model_catalog_json` and [model_providers.codex_shim] right; the rest is yours and Codex's.
"""


class Written(msgspec.Struct, frozen=True):
    """A file, and whether it was created, updated, unchanged, or left because it is not valid TOML."""

    path: str
    change: str


class Draft(msgspec.Struct, frozen=True):
    """What `write` would do to a file: `content` is None where it would leave it as it is."""

    path: Path
    change: str
    content: bytes | None = None


def write(
    home: Home,
    catalog: list[dict[str, Any]],
    base_url: str,
    token: str,
    model: str | None = None,
    choosable: Sequence[str] = (),
) -> list[Written]:
    """Returns what happened to each file. `model` is the slug to choose; without one the chosen one stays, as long as it is in the
    catalog or `choosable`: a login that is not usable just now changes nobody's choice."""
    written = []
    for draft in drafts(home, catalog, base_url, token, model, choosable):
        if draft.content is not None:
            write_private(draft.path, draft.content)
        written.append(Written(str(draft.path), draft.change))
    return written


def drafts(
    home: Home,
    catalog: list[dict[str, Any]],
    base_url: str,
    token: str,
    model: str | None = None,
    choosable: Sequence[str] = (),
) -> list[Draft]:
    """The catalog and the configuration as they should be, compared with what is there."""
    listing = json.dumps({"models": catalog}, indent=1, ensure_ascii=False).encode() + b"\n"
    slugs = [model] if model else [*(entry["slug"] for entry in catalog), *choosable]
    chain = Chain(url=base_url, token=token, catalog=str(home.catalog), slugs=slugs)
    return [_catalog(home.catalog, listing), _config(home.codex_config, slugs, chain.catalog, chain.provider("provider") or {})]


def entries(path: Path) -> list[dict[str, Any]]:
    """Those of a catalog file; none where there is no such file, or it is no catalog."""
    try:
        models: list[dict[str, Any]] = json.loads(path.read_bytes())["models"]
        return models if all(isinstance(entry["slug"], str) for entry in models) else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def listed(path: Path) -> list[str]:
    """Their slugs."""
    return [entry["slug"] for entry in entries(path)]


def chosen(path: Path) -> str | None:
    """The model that a configuration chooses; None where none is, or the file cannot be read."""
    try:
        model = tomllib.loads(path.read_text("utf-8")).get("model")
    except (OSError, ValueError):
        return None
    return model if isinstance(model, str) else None


def codex_config(before: str, slugs: Sequence[str], catalog: str, provider: dict[str, Any]) -> str:
    """The text of `config.toml` with our keys set, everything else as it was. Raises `ValueError` for what is no TOML.

    The model stays the one that was chosen there, as long as it is one of `slugs`.
    """
    import tomlkit

    document = tomlkit.parse(before)
    if document.get("model") not in slugs:
        document["model"] = slugs[0]
    document["model_provider"] = PROVIDER
    document["model_catalog_json"] = catalog
    providers = document.setdefault("model_providers", tomlkit.table(is_super_table=True))
    table = providers.setdefault(PROVIDER, tomlkit.table())
    for name, value in provider.items():
        table[name] = value
    return tomlkit.dumps(document)


def is_right(before: str, slugs: Sequence[str], catalog: str, provider: dict[str, Any]) -> bool:
    """Whether nothing has to be written: the usual case at a start, and told without an editor of TOML."""
    found = tomllib.loads(before)
    table = found.get("model_providers", {}).get(PROVIDER, {})
    return (
        found.get("model") in slugs
        and found.get("model_provider") == PROVIDER
        and found.get("model_catalog_json") == catalog
        and all(table.get(name) == value for name, value in provider.items())
    )


def _config(path: Path, slugs: Sequence[str], catalog: str, provider: dict[str, Any]) -> Draft:
    try:
        before = path.read_text("utf-8") if path.exists() else None
        if before is not None and is_right(before, slugs, catalog, provider):
            return Draft(path, "unchanged")
        after = codex_config(_HEADER if before is None else before, slugs, catalog, provider)
    except ValueError:  # of tomllib, tomlkit and the decoder of UTF-8 alike
        return Draft(path, "left as it is: not valid TOML")
    return Draft(path, "created" if before is None else "updated", after.encode())


def _catalog(path: Path, content: bytes) -> Draft:
    try:
        before = path.read_bytes()
    except FileNotFoundError:
        before = None
    if before == content:
        return Draft(path, "unchanged")
    return Draft(path, "created" if before is None else "updated", content)
