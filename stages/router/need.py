"""What a request asks of a model, and what a model lacks for it. Pure.

The body is searched as text, not decoded: a quotation mark inside a JSON string is escaped, so `"input_image"` is never somebody's
words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..contract import summary
from ..contract.body import Document
from ..contract.envelope import is_ours
from ..contract.errors import CONTEXT_OVERFLOW, INVALID_REQUEST, HopError, refuse
from .config import Route

_BYTES_PER_TOKEN = 4
# An estimate may be wrong by this much before a request is refused because of it.
_DOUBT = 2
_IMAGE = b'"input_image"'
_COMPACTION = b'"compaction'
# What is long and costs few tokens, or none: images as data, and opaque state.
_OPAQUE = re.compile(rb'"(?:data:[a-z]+/|gAAAA|csh\d+\.)[^"\\]*"')


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """`tokens` is an estimate. `compacted`: there is a history that a service has compacted in a form that only
    it can read."""

    tokens: int = 0
    images: bool = False
    tools: bool = False
    compacted: bool = False


def read(document: Document, body: bytes) -> Need:
    opaque = sum(len(each[0]) for each in _OPAQUE.finditer(body))
    return Need(
        tokens=(len(body) - opaque) // _BYTES_PER_TOKEN,
        images=_IMAGE in body,
        tools=needs_tools(document),
        compacted=_COMPACTION in body and any(_is_foreign(item) for item in document.get("input", list) or []),
    )


def needs_tools(document: Document) -> bool:
    return bytes(document.raw("tools") or b"[]").strip() not in (b"[]", b"null")


def able(slug: str, members: Sequence[str], routes: Mapping[str, Route], need: Need, *, virtual: bool) -> list[str]:
    """The members that can take the request, in their order. Raises `HopError` (400) where none can.

    A plain slug that has fallbacks keeps what it does without them: it is asked with its images described, and its provider knows
    best how long is too long.
    """
    lacking = {member: _lacks(routes[member], need) for member in members}
    fitting = [member for member in members if not lacking[member]]
    if fitting:
        return fitting
    if not virtual:
        return _with_tools(slug, members, routes, need)
    if widest := _almost(members, routes, need):
        return [widest]
    told = ", ".join(f"`{member}` {lacking[member]}" for member in members)
    code = CONTEXT_OVERFLOW if all("window" in why for why in lacking.values()) else INVALID_REQUEST
    raise refuse(f"no member of `{slug}` can take this request: {told}; choose another model", code=code)


def check_tools(slug: str, route: Route, document: Document) -> None:
    """Raises `HopError` (400) before anything is sent that is certain to be refused."""
    if not route.tools and needs_tools(document):
        raise _no_tools(slug)


def _is_foreign(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") in summary.ITEM_TYPES and not is_ours(item.get("encrypted_content"))


def _with_tools(slug: str, members: Sequence[str], routes: Mapping[str, Route], need: Need) -> list[str]:
    found = [member for member in members if routes[member].tools or not need.tools]
    if not found:
        raise _no_tools(slug)
    return found


def _almost(members: Sequence[str], routes: Mapping[str, Route], need: Need) -> str | None:
    """The one with the largest window, where nothing but an estimate speaks against it."""
    others = msgspec.structs.replace(need, tokens=0)
    windows = {member: routes[member].context or 0 for member in members if not _lacks(routes[member], others)}
    widest = max(windows, key=lambda member: windows[member], default=None)
    return widest if widest is not None and need.tokens <= _DOUBT * windows[widest] else None


def _lacks(route: Route, need: Need) -> str:
    """In words; empty where there is nothing."""
    if need.images and not route.images:
        return "takes no images"
    if need.tools and not route.tools:
        return "takes no tools"
    if route.context is not None and need.tokens > route.context:
        return f"has a window of {route.context:,} tokens and this is about {need.tokens:,}"
    return ""


def _no_tools(slug: str) -> HopError:
    return refuse(f"`{slug}` takes no tools (`no_tool_support` in models.json), and this request offers some; choose another model")
