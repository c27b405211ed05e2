"""Repair: calls that a model wrote into its text become calls, and patches are put in order. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec

from ...contract.asked import tools_of
from ...contract.headers import REQUEST_ID
from ...contract.notes import Notes
from ...contract.tools import Tool
from ..config import Repair
from ..effect import Effect
from ..request import Request
from . import patches
from .course import Course
from .stream import Repaired
from .values import Offered


def repair(rule: Repair, request: Request) -> Effect | None:
    """What is done to the answer follows from the tools that the request offers; where it offers none, nothing is."""
    offered = _offered(rule, request) if rule.calls else None
    if offered is None and not rule.patches:
        return None
    return Effect(None, Repaired(offered, patches=rule.patches, course=Course(_ids(request))))


def _offered(rule: Repair, request: Request) -> Offered | None:
    if request.document.get("tool_choice", object) == "none":
        return None
    body: dict[str, Any] = {"tools": request.document.get("tools", object)}
    tools = tools_of(body, [msgspec.json.decode(raw) for raw in request.items if b'"tools"' in bytes(raw)], Notes())
    return Offered(tools, _patch if rule.patches else _as_it_is) if tools.offered else None


def _patch(tool: Tool, value: str) -> str:
    if tool.name != patches.TOOL:
        return value
    return patches.mended(value) if tool.kind == "custom_tool_call" else patches.mended_arguments(value)


def _as_it_is(tool: Tool, value: str) -> str:
    return value


def _ids(request: Request) -> Callable[[str], str]:
    """Ids that no other answer has: each request has an id of its own."""
    numbers = count()
    seed = request.headers.get(REQUEST_ID) or hashlib.sha256(request.document.encode()).hexdigest()
    return lambda prefix: f"{prefix}_{hashlib.sha256(f'{seed} {next(numbers)}'.encode()).hexdigest()[:32]}"
