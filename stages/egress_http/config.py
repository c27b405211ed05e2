"""What one upstream's worker can be told. `Options` may stand under `[egress.NAME]`; the rest comes from the model's row."""

from __future__ import annotations

from typing import Literal

import msgspec

DialectName = Literal["chat"]


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Seconds. `idle_seconds` is how long the upstream may send nothing at all before it is given up."""

    connect_seconds: float = 15.0
    idle_seconds: float = 600.0
    connections: int = 1000


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One slug of this upstream: the name it goes by there, and what it can take."""

    model: str
    max_output_tokens: int | None = None
    images: bool = True


class Config(Options, kw_only=True):
    """`api_key` is the only provider key this process, and no other, ever holds. `models` is by slug.

    `key_header` is where the key goes: `authorization` as a bearer token, any other header as it is. `provider` names the upstream
    for opaque state that only it can read.
    """

    base_url: str
    dialect: DialectName = "chat"
    api_key: str | None = None
    key_header: str = "authorization"
    provider: str = ""
    headers: dict[str, str] = {}
    models: dict[str, Model] = {}
