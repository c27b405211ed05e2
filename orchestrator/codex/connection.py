"""The two ways in which a Codex configuration leads to the chain, and how to tell what is ours in one. Pure.

*provider*: a provider of our own, `codex_shim`. Codex lists its threads by provider, so chats of other providers are out of sight
while it is chosen.
*threads*: Codex's built-in provider with `openai_base_url`, so that existing chats stay where they are. That provider sends no header
of ours, so the local token is a part of the address.
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from codex_shim.stages.contract.handshake import is_loopback
from codex_shim.stages.contract.headers import LOCAL_TOKEN, TOKEN_PATH

from .edit import PROVIDER

Way = Literal["provider", "threads"]


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Where Codex finds the chain: `url` ends in /v1, `catalog` is the path of the catalog file, `slugs` are those in it."""

    url: str
    token: str
    catalog: str
    slugs: list[str]

    def __repr__(self) -> str:
        return f"Chain({self.url})"

    @property
    def url_with_token(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{TOKEN_PATH}{self.token}{parts.path}"

    def top(self, way: Way, model: str) -> dict[str, Any]:
        """The settings at the top of the file."""
        chosen = {"model": model, "model_catalog_json": self.catalog}
        return {**chosen, "openai_base_url": self.url_with_token} if way == "threads" else {**chosen, "model_provider": PROVIDER}

    def provider(self, way: Way, *, login: bool = False) -> dict[str, Any] | None:
        """The table of the provider. With `login`, Codex keeps its ChatGPT login and sends it along, and our token is a header."""
        if way == "threads":
            return None
        ours = {"http_headers": {LOCAL_TOKEN: self.token}} if login else {"experimental_bearer_token": self.token}
        plain = {"name": "codex-shim", "base_url": self.url, "wire_api": "responses", "stream_idle_timeout_ms": 600_000}
        return {**plain, **({"requires_openai_auth": True} if login else {}), **ours}

    def is_ours(self, key: str, value: Any) -> bool:
        """Whether a setting still has a value that comes from here; see edit.py."""
        if key == "model":
            return value in self.slugs
        if key == "model_provider":
            return value == PROVIDER
        return value == self.catalog if key == "model_catalog_json" else leads_here(value)


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """How a configuration leads to a chain on this machine; `wrong` says in clauses what does not fit the chain any more."""

    way: Way
    model: str | None
    wrong: list[str]


def look(config: dict[str, Any], chain: Chain) -> Connected | None:
    """None where the configuration does not lead to us."""
    model = config.get("model") if isinstance(config.get("model"), str) else None
    if config.get("model_provider") == PROVIDER:
        providers = config.get("model_providers")
        table = providers.get(PROVIDER) if isinstance(providers, dict) else None
        return Connected(way="provider", model=model, wrong=_wrong(config, table if isinstance(table, dict) else {}, chain))
    if config.get("model_provider") in (None, "openai") and leads_here(config.get("openai_base_url")):
        wrong = [] if config["openai_base_url"] == chain.url_with_token else ["`openai_base_url` is not this chain's"]
        return Connected(way="threads", model=model, wrong=[*wrong, *_wrong_catalog(config, chain)])
    return None


def leads_here(url: Any) -> bool:
    """Whether this is the address of a chain, of this or of another home or port: the path tells."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        return parts is not None and is_loopback(parts.hostname or "") and parts.path.startswith(TOKEN_PATH)
    except ValueError:
        return False


def _wrong(config: dict[str, Any], table: dict[str, Any], chain: Chain) -> list[str]:
    wrong = [] if str(table.get("base_url", "")).rstrip("/") == chain.url else ["its `base_url` is not the running chain's"]
    headers = table.get("http_headers")
    given = table.get("experimental_bearer_token") or (headers.get(LOCAL_TOKEN) if isinstance(headers, dict) else None)
    return [*wrong, *([] if given == chain.token else ["its token is not this home's"]), *_wrong_catalog(config, chain)]


def _wrong_catalog(config: dict[str, Any], chain: Chain) -> list[str]:
    return [] if config.get("model_catalog_json") == chain.catalog else ["its `model_catalog_json` is not this home's"]
