"""Set, default, drop and replace: values at JSON paths, and the texts in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from ...contract import json_path
from ...contract.body import Document
from .. import change
from ..config import Default, Drop, Replace, Set
from ..request import Request

# Texts that are names: a provider, a tool or Codex knows what they mean.
_NAMES = frozenset({"type", "role", "id", "call_id", "name", "namespace", "status", "encrypted_content", "image_url", "model"})


def set_values(rule: Set, request: Request) -> str | None:
    return _note("set", [path for path, value in rule.values.items() if at(request.document, path, lambda _, value=value: value)])


def default_values(rule: Default, request: Request) -> str | None:
    def or_else(value: Any) -> Callable[[Any], Any]:
        return lambda old: value if old is change.ABSENT or old is None else old

    return _note("default", [path for path, value in rule.values.items() if at(request.document, path, or_else(value))])


def drop(rule: Drop, request: Request) -> str | None:
    return _note("drop", [path for path in rule.paths if at(request.document, path, lambda _: change.ABSENT)])


def replace(rule: Replace, request: Request) -> str | None:
    pattern = re.compile(rule.pattern)
    changed = at(request.document, rule.path, lambda old: replaced(old, pattern, rule.by))
    return _note("replace", [rule.path] if changed else [])


def at(document: Document, path: str, alter: Callable[[Any], Any]) -> bool:
    """Alter the values at a path; whether that made a difference. What stands beside them stays the bytes it was: top-level values,
    and items of a list."""
    first, *rest = json_path.parse_field(path)
    raw = document.raw(str(first))
    before = change.ABSENT if raw is None else msgspec.json.decode(raw)
    after = change.altered(before, rest, alter)
    if change.same(before, after):
        return False
    if after is change.ABSENT:
        document.drop(str(first))
    else:
        document.set(str(first), _beside(raw, before, after))
    return True


def replaced(value: Any, pattern: re.Pattern[str], by: str) -> Any:
    """In every text of a value, however deep, names excepted."""
    if isinstance(value, str):
        return pattern.sub(by, value)
    if isinstance(value, list):
        return [replaced(each, pattern, by) for each in value]
    if isinstance(value, dict):
        return {name: each if name in _NAMES else replaced(each, pattern, by) for name, each in value.items()}
    return value


def _beside(raw: msgspec.Raw | None, before: Any, after: Any) -> Any:
    if raw is None or not isinstance(before, list) or not isinstance(after, list) or len(before) != len(after):
        return after
    pieces = msgspec.json.decode(raw, type=list[msgspec.Raw])
    return [piece if change.same(old, new) else new for piece, old, new in zip(pieces, before, after, strict=True)]


def _note(rule: str, paths: Iterable[str]) -> str | None:
    named = ", ".join(paths)
    return f"{rule} {named}" if named else None
