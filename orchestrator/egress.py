"""Which egress workers the models need: one for each distinct base URL, dialect and credential. Pure.

A worker holds one credential, so two keys for one provider are two processes, and a crash or a leak of one is not the other's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import msgspec
from codex_shim.stages.egress_demo.config import Options as DemoOptions
from codex_shim.stages.egress_http.config import Config, Model
from codex_shim.stages.egress_http.config import Options as HttpOptions

from .settings.models import ModelRow

DEMO = "demo"
# No worker that is derived from models.json, and no stage, may be called so.
SUBSCRIPTIONS = ("chatgpt", "cursor")
DESK = "desk"
OTEL = "otel"


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A process behind the router and the models it serves, all of which share address, language and credential."""

    name: str
    rows: list[ModelRow]

    def __repr__(self) -> str:
        return f"Worker({self.name})"


def derive(rows: Sequence[ModelRow], taken: Iterable[str]) -> list[Worker]:
    """The workers in the order of their first model. Names avoid the `taken` ones of the chain."""
    groups: dict[tuple[object, ...], list[ModelRow]] = {}
    for row in rows:
        key = (row.base_url, row.dialect, row.api_key, row.key_header, tuple(sorted(row.headers.items())))
        groups.setdefault(key, []).append(row)
    names = set(taken) | {DEMO, DESK, OTEL, *SUBSCRIPTIONS}
    workers = []
    for group in groups.values():
        name = _free(_name(group[0]), names)
        names.add(name)
        workers.append(Worker(name=name, rows=group))
    return workers


def http_config(worker: Worker, options: HttpOptions) -> Config:
    """The one file that holds this worker's key."""
    first = worker.rows[0]
    return Config(
        **msgspec.structs.asdict(options),
        base_url=first.base_url,
        dialect=first.dialect,  # pyright: ignore[reportArgumentType]  # models.py lets supported dialects through only
        api_key=first.api_key.reveal() if first.api_key else None,
        key_header=first.key_header,
        provider=first.owner,
        headers=first.headers,
        models={row.slug: _model(row) for row in worker.rows},
    )


def _model(row: ModelRow) -> Model:
    return Model(model=row.model, max_output_tokens=row.max_output_tokens, images=row.images, quirks=row.quirks)


def demo_options(options: object) -> DemoOptions:
    return options if isinstance(options, DemoOptions) else DemoOptions()


def _name(row: ModelRow) -> str:
    """The provider's own name where a preset gave one, else the host's."""
    generic = ("chat", "openai", "generic-chat-completion-api")
    parts = urlsplit(row.base_url)
    text = (
        row.provider if row.provider not in generic else (parts.hostname or "upstream") + (f"-{parts.port}" if parts.port else "")
    )
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "upstream"


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(candidate for number in range(2, 1000) if (candidate := f"{name}-{number}") not in taken)
