"""One row of models.json: its keys in all their spellings, and whether a model can be made of it.

Rule of this file: a row that cannot work says why, by name; a key that is not known is named and ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from codex_shim.stages.contract.price import Price
from codex_shim.stages.contract.secret import Secret
from codex_shim.stages.egress_http.config import Quirks

from . import base_url, extra_headers, model_key
from .positions import Path
from .problems import did_you_mean
from .providers import SUPPORTED_DIALECTS, Preset, find_host, is_own, lay_over
from .strict import Reader
from .values import MissingVariableError, Sealed, expand

Positive = Annotated[int, msgspec.Meta(gt=0)]


class RowKeys(msgspec.Struct, kw_only=True):
    """The canonical keys, each with its type."""

    model: str = ""
    slug: str = ""
    display_name: str = ""
    provider: str = ""
    base_url: str = ""
    api_key: str = ""
    api_key_env: str = ""
    api_key_command: str | list[str] = ""
    max_context_limit: Positive | None = None
    max_output_tokens: Positive | None = None
    no_image_support: bool | None = None
    no_tool_support: bool = False
    extra_headers: dict[str, str] = {}
    index: int | None = None
    price: Price | None = None
    quirks: Quirks = Quirks()


_ALIASES = {
    "name": "display_name",
    "baseURL": "base_url",
    "bearerToken": "api_key",
    **{re.sub(r"_(\w)", lambda letter: letter[1].upper(), key): key for key in RowKeys.__struct_fields__},
}
_UNUSED = ("id",)  # other programs that write such files number their rows with it


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A model that can be asked. `key_source` says in safe words how the key was given; `repr` shows no credential.

    `owner` names whoever reads opaque state of the model: its provider, or the host where only a language was named. `price` is
    the one that the row itself says.
    """

    slug: str
    model: str
    display_name: str
    provider: str
    dialect: str
    base_url: str
    api_key: Secret | None
    headers: dict[str, str]
    max_context: int | None
    max_output_tokens: int | None
    images: bool
    index: int | None
    key_source: str
    key_header: str = "authorization"
    owner: str = ""
    price: Price | None = None
    quirks: Quirks = Quirks()
    tools: bool = True


class Row:
    """A row while it is read. `raw` holds its keys under their canonical names, with the values as written."""

    def __init__(self, written: Any, at: Path, reader: Reader, presets: Mapping[str, Preset]) -> None:
        self.at = at
        self.reader = reader
        self.presets = presets
        self.raw: dict[str, Any] = {}
        self.spelling: dict[str, str] = {}
        self.broken = False
        if isinstance(written, str):
            self.raw = {"model": written, "provider": "ollama"}
        elif isinstance(written, dict):
            self.canonical(written)
        else:
            self.broken = True
            reader.at_value(at, f"a model must be an object or, for a local Ollama model, its name; row {self.number} is neither")

    @property
    def number(self) -> int:
        return int(self.at[-1]) + 1

    @property
    def label(self) -> str:
        name = self.text("display_name") or self.text("model")
        return f"model `{name}`" if name else f"row {self.number}"

    def text(self, key: str) -> str:
        value = self.raw.get(key)
        return value.strip() if isinstance(value, str) else ""

    def canonical(self, written: dict[str, Any]) -> None:
        """null means the same as a key that is not there."""
        unknown = []
        for spelt, value in written.items():
            key = _ALIASES.get(spelt, spelt)
            if key not in RowKeys.__struct_fields__:
                unknown += [] if spelt in _UNUSED else [spelt]
            elif value is not None and self.raw.setdefault(key, value) == value:
                self.spelling.setdefault(key, spelt)
            elif value is not None:
                self.problem(key, f"`{self.spelling[key]}` and `{spelt}` mean the same and differ; keep one")
        for spelt in unknown:
            hint = did_you_mean(spelt, [*RowKeys.__struct_fields__, *_ALIASES])
            self.reader.at_key((*self.at, spelt), f"{self.label}: unknown key `{spelt}` is ignored{hint}")

    def problem(self, key: str, sentence: str) -> None:
        self.broken = True
        self.reader.at_value((*self.at, self.spelling.get(key, key)), f"{self.label}: {sentence}")

    def build(self, slug: str, environ: Mapping[str, str], run: model_key.RunCommand) -> ModelRow | None:
        """None if it cannot work; the reader then has the reasons."""
        keys = self.keys(environ)
        if keys is None:
            return None
        if not keys.model:
            self.problem("model", "it has no `model`, the name that the provider knows it by")
        elif not slug:
            self.problem("model", "no slug can be made of its name; give it a `slug` of letters and digits")
        self.headers(keys)
        preset = self.preset(keys)
        url = self.url(keys, preset) if preset else None
        return None if self.broken or not preset or not url else self.row(keys, slug, preset, url, environ, run)

    def row(
        self, keys: RowKeys, slug: str, preset: Preset, url: str, environ: Mapping[str, str], run: model_key.RunCommand
    ) -> ModelRow | None:
        try:
            key, source = model_key.find(msgspec.structs.asdict(keys), url, preset, environ, run)
        except model_key.KeyProblem as problem:
            self.problem(problem.key, str(problem))
            return None
        owner, known = self.known(keys, preset, url)
        facts = known.facts(keys.model)
        return ModelRow(
            slug=slug,
            model=keys.model,
            display_name=keys.display_name or keys.model,
            provider=keys.provider,
            dialect=preset.dialect,
            base_url=url,
            api_key=key,
            headers=Sealed(keys.extra_headers),
            max_context=keys.max_context_limit or facts.context,
            max_output_tokens=keys.max_output_tokens or facts.max_output_tokens,
            images=facts.images if keys.no_image_support is None else not keys.no_image_support,
            tools=not keys.no_tool_support,
            index=keys.index,
            key_source=source,
            key_header=known.key_header,
            owner=owner,
            price=msgspec.convert(self.raw.get("price"), Price | None),
            quirks=msgspec.convert(lay_over(facts.quirks, self.raw.get("quirks", {})), Quirks),
        )

    def known(self, keys: RowKeys, preset: Preset, url: str) -> tuple[str, Preset]:
        """Whose facts count: those of the provider that was named, or, where that was only a language, of the owner of the URL."""
        name = keys.provider.lower()
        if is_own(name):
            return name, preset
        return find_host(self.presets, url, preset.dialect) or (base_url.host(url), preset)

    def keys(self, environ: Mapping[str, str]) -> RowKeys | None:
        """Checks the types and fills in `${NAME}`, except in the key, whose placeholder only counts where it is needed."""
        kinds = {field.name: field.type for field in msgspec.structs.fields(RowKeys)}
        fitting = [self.check(key, value, kinds[key]) for key, value in self.raw.items()]
        if self.broken or not all(fitting):
            return None
        values = {key: value if key == "api_key" else self.expanded(key, value, environ) for key, value in self.raw.items()}
        return None if self.broken else RowKeys(**values)

    def check(self, key: str, value: Any, kind: Any) -> bool:
        spelt = self.spelling.get(key, key)
        return self.reader.check(value, kind, (*self.at, spelt), f"`{spelt}` of {self.label}")

    def expanded(self, key: str, value: Any, environ: Mapping[str, str]) -> Any:
        if isinstance(value, dict):
            return {name: self.expanded(key, each, environ) for name, each in value.items()}
        if isinstance(value, list):
            return [self.expanded(key, each, environ) for each in value]
        try:
            return expand(value.strip(), environ) if isinstance(value, str) else value
        except MissingVariableError as missing:
            self.problem(key, f"`{self.spelling.get(key, key)}` needs the environment variable {missing.name}, which is not set")

    def headers(self, keys: RowKeys) -> None:
        for name, sentence in extra_headers.problems(keys.extra_headers):
            self.broken = True
            self.reader.at_key((*self.at, self.spelling["extra_headers"], name), f"{self.label}: {sentence}")

    def preset(self, keys: RowKeys) -> Preset | None:
        preset = self.presets.get(keys.provider.lower())
        if not keys.provider:
            self.problem("provider", "it has no `provider`; name one like `openrouter`, or `openai` for a compatible one")
        elif not preset:
            self.problem("provider", f"unknown provider `{self.text('provider')}`{did_you_mean(keys.provider, self.presets)}")
        elif preset.dialect not in SUPPORTED_DIALECTS:
            self.problem("provider", f"this version does not speak the language of `{self.text('provider')}` yet")
        else:
            return preset
        return None

    def url(self, keys: RowKeys, preset: Preset) -> str | None:
        written = keys.base_url or preset.base_url
        if not written:
            self.problem("base_url", f"provider `{self.text('provider')}` needs a `base_url`")
            return None
        try:
            return base_url.read(written)
        except base_url.BaseUrlError as error:
            self.problem("base_url", f"`{self.spelling.get('base_url', 'base_url')}` {error}")
            return None
