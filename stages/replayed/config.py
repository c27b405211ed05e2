"""What a recorded upstream is told by `codex-shim replay --serve`."""

from __future__ import annotations

import msgspec


class Recorded(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One exchange: `body` is the request, `pieces` are those of the answer, each with the milliseconds since the request. `whole`
    tells that the answer had an orderly end."""

    path: str
    body: str
    status: int
    headers: dict[str, str]
    pieces: list[tuple[float, str]]
    whole: bool


class Config(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`pace`: each piece comes as late as it did when it was recorded. `models` are the slugs that were asked for."""

    exchanges: list[Recorded] = []
    models: list[str] = []
    pace: bool = False
