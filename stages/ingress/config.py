"""What ingress can be told. `Options` may stand in pipeline.toml; the rest of `Config` comes from the orchestrator."""

from __future__ import annotations

import msgspec


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`body_limit_mib` counts the decompressed body. `keepalive_seconds` is how long a stream may be silent before a keepalive."""

    body_limit_mib: int = 64
    keepalive_seconds: float = 10.0
    allowed_hosts: list[str] = []
    allowed_origins: list[str] = []


class Config(Options, kw_only=True):
    """`token` is the local bearer token that Codex was given; None lets anyone on this machine in (only tests do that).

    `advertised` is the file that `GET /health` repeats (contract/advertised.py). `seal_key` closes what only the ChatGPT egress may
    read: the user's own token, where Codex sends it along. `desk` is the base URL of the stage with the picker page, empty where
    there is none, and `page_token` what that page shows when it asks for a change.
    """

    token: str | None = None
    advertised: str = ""
    seal_key: str = ""
    desk: str = ""
    page_token: str = ""
