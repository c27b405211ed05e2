"""The two ways in which a Codex configuration leads to the chain, and how to tell what is ours in one. Pure.

*provider*: a provider of our own, `codex_shim`. Codex lists its threads by provider, so chats of other providers are out of sight
while it is chosen.
*threads*: Codex's built-in provider with `openai_base_url`, so that existing chats stay where they are. That provider sends no
header of ours, so the local token is a part of the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from codex_shim.stages.contract.handshake import is_loopback
from codex_shim.stages.contract.headers import LOCAL_TOKEN, TOKEN_PATH

from .edit import PROVIDER

Way = Literal["provider", "threads"]


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Where Codex finds the chain: `url` ends in /v1 and is empty where nobody knows it, `catalog` is the path of the catalog file,
    `slugs` are those in it. `others` are those of the home to which a configuration leads instead."""

    url: str
    token: str
    catalog: str
    slugs: list[str]
    others: list[str] = []

    def __repr__(self) -> str:
        return f"Chain({self.url})"

    @property
    def url_with_token(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{TOKEN_PATH}{self.token}{parts.path}"

    def top(self, way: Way, model: str) -> dict[str, Any]:
        """The settings at the top of the file."""
        leads = {"openai_base_url": self.url_with_token} if way == "threads" else {"model_provider": PROVIDER}
        return {"model": model, **leads, "model_catalog_json": self.catalog}

    def provider(self, way: Way, *, login: bool = False) -> dict[str, Any] | None:
        """The table of the provider. With `login`, Codex keeps its ChatGPT login and sends it along, and our token is a header."""
        if way == "threads":
            return None
        ours = {"http_headers": {LOCAL_TOKEN: self.token}} if login else {"experimental_bearer_token": self.token}
        plain = {"name": "codex-shim", "base_url": self.url, "wire_api": "responses", "stream_idle_timeout_ms": 600_000}
        return {**plain, **({"requires_openai_auth": True} if login else {}), **ours}

    def is_ours(self, key: str, value: Any) -> bool:
        """Whether a setting still has a value that comes from here, or from another home of ours; see edit.py."""
        if key == "model":
            return value in self.slugs or value in self.others
        if key == "model_provider":
            return value == PROVIDER
        if key == "model_catalog_json":
            return value == self.catalog or self.elsewhere(value) is not None
        return leads_here(value)

    def elsewhere(self, catalog: Any) -> PurePath | None:
        """The catalog that a configuration names, if it is the one of another home."""
        path = PurePath(catalog) if isinstance(catalog, str) else None
        return path if path and path.name == PurePath(self.catalog).name and catalog != self.catalog else None


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """How a configuration leads to a chain on this machine. `login` tells whether our provider is sent the user's ChatGPT login,
    `mine` whether the chain of this home is meant. `wrong` says in clauses what does not fit that chain any more, and quotes no
    value."""

    way: Way
    login: bool
    model: str | None
    mine: bool
    wrong: list[str]


def look(config: Mapping[str, Any], chain: Chain) -> Connected | None:
    """None where the configuration does not lead to us."""
    provider, url = config.get("model_provider"), config.get("openai_base_url")
    if provider == PROVIDER:
        providers = config.get("model_providers")
        table = providers.get(PROVIDER) if isinstance(providers, dict) else None
        return _own_provider(config, table if isinstance(table, dict) else {}, chain)
    if provider in (None, "openai") and (leads_here(url) or _is_at(url, chain)):
        return _connected("threads", False, config, chain, "openai_base_url", url, _token_in(url))
    return None


def leads_here(url: Any) -> bool:
    """Whether this is the address of a chain, of this or of another home or port: the path tells."""
    parts = _split(url)
    return parts is not None and is_loopback(parts.hostname or "") and parts.path.startswith(TOKEN_PATH)


def _own_provider(config: Mapping[str, Any], table: Mapping[str, Any], chain: Chain) -> Connected:
    headers = table.get("http_headers")
    token = table.get("experimental_bearer_token") or (headers.get(LOCAL_TOKEN) if isinstance(headers, dict) else None)
    login = table.get("requires_openai_auth") is True and not table.get("experimental_bearer_token")
    # With a login, or told where to ask, Codex asks the chain itself which models there are.
    live = "model_catalog_json" not in config and (login or "model_catalog_url" in table)
    return _connected("provider", login, config, chain, "base_url", table.get("base_url"), token, live=live)


def _connected(
    way: Way, login: bool, config: Mapping[str, Any], chain: Chain, key: str, url: Any, token: Any, *, live: bool = False
) -> Connected:
    model, catalog = config.get("model"), config.get("model_catalog_json")
    known = bool(chain.token) and token == chain.token
    wrong = [
        *([] if not chain.url or _without_token(url) == chain.url.rstrip("/") else [_elsewhere(key, url, chain)]),
        *([] if known else ["its token is not this home's" if token else "it brings no token"]),
        *([] if live or catalog == chain.catalog else [_other_catalog(catalog)]),
    ]
    return Connected(
        way=way,
        login=login,
        model=model if isinstance(model, str) else None,
        mine=known or catalog == chain.catalog,
        wrong=wrong,
    )


def _elsewhere(key: str, url: Any, chain: Chain) -> str:
    return f"`{key}` leads to {_host(url)}, the chain is at {_host(chain.url)}"


def _other_catalog(found: Any) -> str:
    return "it names no model_catalog_json" if found is None else "its model_catalog_json is not this home's"


# -- addresses: what else is in one may be a secret -------------------------------------------------------------------


def _split(url: Any) -> Any:
    try:
        return urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return None


def _is_at(url: Any, chain: Chain) -> bool:
    parts = _split(url)
    return parts is not None and bool(chain.url) and parts.netloc == urlsplit(chain.url).netloc


def _host(url: Any) -> str:
    """Host and port alone."""
    parts = _split(url)
    return parts.netloc.rpartition("@")[2] if parts else "what is no URL" if isinstance(url, str) else "nowhere"


def _token_in(url: Any) -> str | None:
    parts = _split(url)
    return parts.path.removeprefix(TOKEN_PATH).partition("/")[0] if parts and parts.path.startswith(TOKEN_PATH) else None


def _without_token(url: Any) -> str:
    parts, token = _split(url), _token_in(url)
    path = "" if parts is None else parts.path.removeprefix(f"{TOKEN_PATH}{token}") if token else parts.path
    return "" if parts is None else f"{parts.scheme}://{parts.netloc}{path}".rstrip("/")
