"""Section Codex config: whether the user's own Codex asks the chain, and whether what it was told is still so.

A token is compared, never shown, and of foreign settings nothing is quoted but the names of providers and models.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import urlsplit

import msgspec
from codex_shim.stages.contract.handshake import is_loopback
from codex_shim.stages.contract.headers import LOCAL_TOKEN

from ..codex import user_home
from ..codex.files import PROVIDER
from ..settings.problems import ConfigError
from ..settings.source import read_text
from .check import Check, Section
from .subject import Subject

_CONFIG = Section("Codex config")


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration should say: `url` is None where nobody knows; `slugs` are those on offer, empty where they are not
    known. `running` tells whether anybody listens at `url`. `example` is the configuration that `generate` keeps right."""

    url: str | None
    token: str
    catalog: str
    running: bool
    slugs: list[str]
    example: str

    def __repr__(self) -> str:
        return "Truth(…)"


def check(subject: Subject) -> list[Check]:
    path = user_home.find(subject.environ) / "config.toml"
    trial = f"`CODEX_HOME={quote(str(subject.home.codex_home))} codex` uses codex-shim without touching it"
    if not path.exists():
        return [_CONFIG.info(f"there is no {path}, so your own Codex does not use codex-shim", trial)]
    try:
        config = read(path)
    except ConfigError as error:
        return [_CONFIG.fail(f"Codex cannot start with its {path.name}", "mend this place", list(map(str, error.problems)))]
    return judge(path, config, _truth(subject), trial)


def read(path: Path) -> dict[str, Any]:
    """Raises `ConfigError`, with the place of what is no UTF-8 or no TOML."""
    from ..settings import toml_file

    return toml_file.document(read_text(path), str(path))[0]


def judge(path: Path, config: Mapping[str, Any], truth: Truth, trial: str) -> list[Check]:
    """`trial` says how to use codex-shim without this file."""
    provider = config.get("model_provider")
    providers = config.get("model_providers")
    table = providers.get(PROVIDER) if isinstance(providers, dict) else None
    if provider == PROVIDER:
        return _own_provider(path, config, table if isinstance(table, dict) else {}, truth)
    if provider in (None, "openai") and _is_local(config.get("openai_base_url")):
        return _built_in(path, config, truth)
    named = f"the provider `{provider}`" if isinstance(provider, str) else "Codex's own provider"
    return [_CONFIG.info(f"{path} uses {named}, not codex-shim", trial)]


def _own_provider(path: Path, config: Mapping[str, Any], table: Mapping[str, Any], truth: Truth) -> list[Check]:
    wrong = [*_wrong_url("base_url", table.get("base_url"), truth.url), *_wrong_catalog(config, truth)]
    token = table.get("experimental_bearer_token") or _headers(table).get(LOCAL_TOKEN)
    if not truth.token or token != truth.token:
        wrong.append("its token is not this home's")
    return _verdict(f"{path} uses the provider {PROVIDER}", config, wrong, truth)


def _built_in(path: Path, config: Mapping[str, Any], truth: Truth) -> list[Check]:
    wrong = [*_wrong_url("openai_base_url", config.get("openai_base_url"), truth.url), *_wrong_catalog(config, truth)]
    return _verdict(f"{path} leads Codex's own provider to this machine (openai_base_url)", config, wrong, truth)


def _verdict(said: str, config: Mapping[str, Any], wrong: list[str], truth: Truth) -> list[Check]:
    checks = []
    if wrong:
        remedy = f"`codex-shim generate`, then take these settings over from {truth.example}"
        checks.append(_CONFIG.warn(f"{said}, but is not in sync with the chain", remedy, wrong))
    elif not truth.running:
        checks.append(_CONFIG.warn(f"{said}, where nobody listens: Codex would wait without a word", "`codex-shim start`"))
    else:
        checks.append(_CONFIG.ok(f"{said}, in sync with the running chain"))
    model = config.get("model")
    if isinstance(model, str) and truth.slugs and model not in truth.slugs:
        checks.append(_CONFIG.warn(f"its model `{model}` is not on offer", "`codex-shim list` shows which are"))
    return checks


def _truth(subject: Subject) -> Truth:
    from .generated import slugs_of

    return Truth(
        url=subject.base_url,
        token=subject.home.known_token(),
        catalog=str(subject.home.catalog),
        running=subject.running is not None,
        slugs=slugs_of(subject.home.catalog),
        example=str(subject.home.codex_config),
    )


def _wrong_url(key: str, found: Any, url: str | None) -> list[str]:
    if url is None or (isinstance(found, str) and found.rstrip("/") == url.rstrip("/")):
        return []
    return [f"`{key}` leads to {_host(found)}, the chain is at {_host(url)}"]


def _wrong_catalog(config: Mapping[str, Any], truth: Truth) -> list[str]:
    found = config.get("model_catalog_json")
    if found == truth.catalog:
        return []
    return ["it names no model_catalog_json" if found is None else "its model_catalog_json is not this home's"]


def _headers(table: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = table.get("http_headers")
    return headers if isinstance(headers, dict) else {}


def _is_local(url: Any) -> bool:
    try:
        return isinstance(url, str) and is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _host(url: Any) -> str:
    """Host and port alone: what else is in a URL may be a secret."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] if isinstance(url, str) else "nowhere"
    except ValueError:
        return "what is no URL"
