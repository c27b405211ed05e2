"""What a `provider` in models.json stands for: the typed reader of providers.toml, which is data only.

`Preset` is one provider; `packaged` are those that come with us; `merged` lays a user's tables over them. Rule of this file: a
table says only in what it differs, so quirks are kept as written until everything that speaks of a model is known.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from codex_shim.stages.egress_http.config import DialectName, Quirks

from . import base_url

SUPPORTED_DIALECTS: frozenset[str] = frozenset(get_args(DialectName))
PACKAGED = Path(__file__).parent / "providers.toml"

Count = Annotated[int, msgspec.Meta(gt=0)]
Quirky = dict[str, Any]


class ModelTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts of the models whose upstream names match."""

    match: str | list[str]
    context: Count | None = None
    images: bool | None = None
    max_output_tokens: Count | None = None
    quirks: Quirks = Quirks()


class ProviderTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of a providers.toml as it may be written."""

    like: str = ""
    dialect: Literal["chat", "messages", "responses", "gemini"] | None = None
    base_url: str = ""
    key_env: str = ""
    key_host: str = ""
    key_header: str = ""
    context: Count | None = None
    images: bool | None = None
    quirks: Quirks = Quirks()
    models: list[ModelTable] = []


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one model."""

    context: int | None
    images: bool
    max_output_tokens: int | None
    quirks: Quirky


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """`key_env` is only ever sent to the host of `base_url`, or to `key_host`, where a preset has no URL of its own."""

    dialect: str
    base_url: str | None = None
    key_env: str | None = None
    key_host: str | None = None
    key_header: str = "authorization"
    context: int | None = None
    images: bool = True
    quirks: Quirky = {}
    models: list[dict[str, Any]] = []

    def owns(self, host: str) -> bool:
        """Whether `host` is this provider's own."""
        return fnmatchcase(host, self.key_host or base_url.host(self.base_url or "") or " ")

    def facts(self, model: str) -> Facts:
        """The provider's, and over them what its patterns say of this model, the last one first."""
        known: dict[str, Any] = {"context": self.context, "images": self.images, "max_output_tokens": None, "quirks": self.quirks}
        for table in self.models:
            if _matches(table["match"], model):
                known = lay_over(known, table)
        return Facts(**{name: known[name] for name in Facts.__struct_fields__})


@functools.cache
def packaged() -> Mapping[str, Preset]:
    return merged(packaged_tables())


@functools.cache
def packaged_tables() -> dict[str, Any]:
    import tomllib

    return tomllib.loads(PACKAGED.read_text("utf-8"))


def merged(tables: Mapping[str, Any], over: Mapping[str, Any] | None = None) -> dict[str, Preset]:
    """`over` adds providers and changes known ones. Both are valid tables, and `like` names one of them."""
    whole = {name: _changed(table, (over or {}).get(name, {})) for name, table in tables.items()}
    whole |= {name: table for name, table in (over or {}).items() if name not in tables}
    return {name: _preset(_resolved(table, whole)) for name, table in whole.items()}


def lay_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of `above` win, inside tables too; lists of models are put behind each other, since later patterns win."""
    result = dict(below)
    for key, value in above.items():
        old = below.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            result[key] = lay_over(old, value)
        elif key == "models" and isinstance(old, list):
            result[key] = [*old, *value]
        else:
            result[key] = value
    return result


def find_host(presets: Mapping[str, Preset], url: str, dialect: str) -> tuple[str, Preset] | None:
    """The provider that an address belongs to, where a row names only the language."""
    host = base_url.host(url)
    found = ((name, preset) for name, preset in presets.items() if preset.base_url or preset.key_host)
    owners = [(name, preset) for name, preset in found if preset.dialect == dialect and preset.owns(host) and is_own(name)]
    return owners[0] if owners and not base_url.is_local(url) else None


def is_own(name: str) -> bool:
    """A provider's name, and not that of a language, which many providers speak."""
    return name not in ("chat", "openai", "generic-chat-completion-api")


def _preset(table: Mapping[str, Any]) -> Preset:
    known = {key: value for key, value in table.items() if key in Preset.__struct_fields__ and value != ""}
    return Preset(**known)


def _resolved(table: Mapping[str, Any], tables: Mapping[str, Any], seen: Iterable[str] = ()) -> Mapping[str, Any]:
    like = table.get("like")
    if not like or like in seen or like not in tables:
        return table
    return _changed(_resolved(tables[like], tables, (*seen, like)), table)


def _changed(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """A key that was meant for one host does not follow the address to another."""
    moved = base_url.host(above.get("base_url") or "") not in ("", base_url.host(below.get("base_url") or ""))
    return lay_over({**below, "key_env": "", "key_host": ""} if moved else below, above)


def _matches(patterns: str | list[str], model: str) -> bool:
    """In any case, and also behind the name of a maker, as routers and local servers write it: `zai/glm-5.3`."""
    names = (model.lower(), model.lower().rpartition("/")[2])
    listed = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatchcase(name, pattern.lower()) for pattern in listed for name in names)
