"""The files for Codex, all below our own home: the catalog, and a Codex home whose configuration points at the chain.

Nothing of the user's own `~/.codex` is read or written here; trying codex-shim is `CODEX_HOME=~/.codex-shim/codex-home codex`.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ..home import Home, write_private

PROVIDER = "codex_shim"


class Written(msgspec.Struct, frozen=True):
    """A file, and whether it is new, changed or as it was."""

    path: str
    change: str


def write(home: Home, catalog: list[dict[str, Any]], base_url: str, token: str) -> list[Written]:
    """Returns what happened to each file."""
    listing = json.dumps({"models": catalog}, indent=1, ensure_ascii=False).encode() + b"\n"
    slug = catalog[0]["slug"]
    return [
        _put(home.catalog, listing),
        _put(home.codex_config, codex_config(slug, base_url, token, str(home.catalog)).encode()),
    ]


def codex_config(slug: str, base_url: str, token: str, catalog: str) -> str:
    """`config.toml` of the opt-in Codex home."""
    return f"""\
# Written by `codex-shim generate`. Use it with CODEX_HOME={{this folder}}; your own ~/.codex is not touched.
model = {_quoted(slug)}
model_provider = "{PROVIDER}"
model_catalog_json = {_quoted(catalog)}

[model_providers.{PROVIDER}]
name = "codex-shim"
base_url = {_quoted(base_url)}
wire_api = "responses"
experimental_bearer_token = {_quoted(token)}
stream_idle_timeout_ms = 600000
"""


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of its own."""
    return json.dumps(text, ensure_ascii=False)


def _put(path: Any, content: bytes) -> Written:
    try:
        before = path.read_bytes()
    except FileNotFoundError:
        before = None
    if before == content:
        return Written(str(path), "unchanged")
    write_private(path, content)
    return Written(str(path), "created" if before is None else "updated")
