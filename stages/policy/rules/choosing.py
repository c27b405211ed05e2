"""Deny and route: whether a request goes on at all, and to which model."""

from __future__ import annotations

from ...contract.errors import refuse
from ..config import Deny, Route
from ..request import Request


def deny(rule: Deny, request: Request) -> str | None:
    """Raises `HopError` (403), always: its condition has decided."""
    raise refuse(rule.sentence, status=403)


def route(rule: Route, request: Request) -> str | None:
    before = request.model
    if before == rule.to:
        return None
    request.document.set("model", rule.to)
    return f"route {before} → {rule.to}"
