"""What a probe is told by the orchestrator. Nobody writes one into pipeline.toml."""

from __future__ import annotations

from typing import Literal

import msgspec

Check = Literal["off", "log", "enforce"]


class Config(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`hop` is like `ingress>policy`. `watch_token` is what `GET /watch` asks for; without one nobody can watch."""

    hop: str = ""
    check: Check = "off"
    watch_token: str = ""
