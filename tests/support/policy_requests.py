"""Requests for the rules of the policy stage, and the rules at work on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from codex_shim.stages.contract.body import Document
from codex_shim.stages.policy import engine
from codex_shim.stages.policy.config import Options
from codex_shim.stages.policy.effect import Effect
from codex_shim.stages.policy.request import Request

NOON = datetime(2026, 11, 20, 12, 0)


def request(body: bytes | dict[str, Any], headers: dict[str, str] | None = None, now: datetime = NOON) -> Request:
    return Request(Document.parse(body if isinstance(body, bytes) else msgspec.json.encode(body)), headers or {}, now)


def rules(*tables: dict[str, Any]) -> list[Any]:
    """As they stand in pipeline.toml."""
    return msgspec.convert({"rules": list(tables)}, Options).rules


def run(body: bytes | dict[str, Any], *tables: dict[str, Any], **facts: Any) -> tuple[bytes, list[Effect]]:
    """The body after the rules, and what each did."""
    asked = request(body, **facts)
    effects = [effect for effect in engine.run(rules(*tables), asked) if isinstance(effect, Effect)]
    return asked.document.encode(), effects


def changed(body: bytes | dict[str, Any], *tables: dict[str, Any], **facts: Any) -> Any:
    """The body after the rules, decoded."""
    return msgspec.json.decode(run(body, *tables, **facts)[0])


def notes(body: bytes | dict[str, Any], *tables: dict[str, Any], **facts: Any) -> list[str | None]:
    return [effect.note for effect in run(body, *tables, **facts)[1]]
