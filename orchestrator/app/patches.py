"""The two edits of the app's pages, found by their shape: names are other ones in each version. Pure.

*picker*: the list of models is filtered by an allow-list of OpenAI's, unless Codex runs with Amazon Bedrock. That condition becomes
false, so that what the catalog says counts. Newer versions have it in two places of different shape.

*threads*: the list of recent threads asks for those of the current provider (`modelProviders:null`). It then asks for all (`[]`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

FOLDER = "webview/assets/"

_NAME = rb"[A-Za-z_$][\w$]*"
_BEDROCK = rb"!==[`\"']amazonBedrock[`\"']"
_ALLOWED = _NAME + rb"\.has\(" + _NAME + rb"\.model\)"
_BODY = rb"\buseHiddenModels:(?P<flag>" + _NAME + rb")[^{}]*\}\)\{[^{}]{0,600}?"
_RECENT = rb"\blistRecentThreads\(\{(?=[^{}]*\bcursor:)[^{}]*\}\)\{[^{}]{0,200}?\{[^{}]*?\bmodelProviders:"

# How far a shape may reach before and behind its hint.
_BEFORE = 100
_BEHIND = 5000

# A version that shows the models of a configured catalog, whatever the allow-list says.
_SHOWS_CATALOG = b"hasConfiguredModelCatalog"


class Shape(msgspec.Struct, frozen=True):
    """`open` finds a place that is to be edited; what is replaced by `by` is its group `gate`. `applied` finds one that has been.
    `hint` is in both, near the beginning: what is around it is all that has to be looked at in pages of many MiB."""

    hint: bytes
    open: bytes
    applied: bytes
    by: bytes


class Edit(msgspec.Struct, frozen=True):
    """There may be one place of each shape in all of the app, and there has to be one of at least one shape."""

    name: str
    what: str
    shapes: tuple[Shape, ...]


EDITS = (
    Edit(
        "picker",
        "the allow-list of the model picker",
        (
            Shape(
                b"useHiddenModels",
                # function f({…,useHiddenModels:o}){let s=[],c=null,l=o&&e!==`amazonBedrock`,…
                # function f({…,useHiddenModels:o}){return …(o&&!i&&t!==`amazonBedrock`?n.has(a.model):!a.hidden)…
                _BODY + rb"[=(,;&|?:> ](?P<gate>(?P=flag)(?:&&!" + _NAME + rb")*&&" + _NAME + _BEDROCK + rb")(?=[,;?])",
                rb"!1/\*codex-shim:list\*/|"
                + _BODY
                + rb"(?:(?<![\w$])(?P<made>"
                + _NAME
                + rb")=!1[,;](?s:.){0,3000}?(?<![\w$])(?P=made)\?|\(!1\?)"
                + _ALLOWED,
                b"!1/*codex-shim:list*/",
            ),
            Shape(
                b"useHiddenModels",
                # let u=c.useHiddenModels&&o!==`amazonBedrock`,…
                # filter(e=>a.useHiddenModels&&i!==`amazonBedrock`?a.availableModels.has(e.model):!e.hidden)
                rb"(?<![\w$])(?P<gate>" + _NAME + rb"\.useHiddenModels&&" + _NAME + _BEDROCK + rb")(?=[,;?])",
                rb"!1/\*codex-shim:useHiddenModels\*/",
                b"!1/*codex-shim:useHiddenModels*/",
            ),
        ),
    ),
    Edit(
        "threads",
        "the filter of the recent threads",
        (
            Shape(
                b"listRecentThreads",
                # listRecentThreads({cursor:e,limit:t,…}){return this.….sendRequest(`thread/list`,{…,modelProviders:null,…
                # listRecentThreads({cursor:e,limit:t,…}){let r={limit:t,cursor:e,…,modelProviders:null,…
                _RECENT + rb"(?P<gate>null)(?=[,}])",
                _RECENT + rb"\[\](?=[,}])",
                b"[]",
            ),
        ),
    ),
)


class PatchError(Exception):
    """An edit does not fit this app. The message is a sentence that says what was found and what was not."""


class Place(msgspec.Struct, frozen=True):
    """A place of an edit: still open, or applied already, by whomever."""

    edit: str
    file: str
    state: Literal["open", "applied"]


class Plan(msgspec.Struct, frozen=True):
    """`contents` are the new contents of the files with open places. `shows_catalog` tells of a version that seems to show the
    models of a configured catalog by itself."""

    places: list[Place]
    contents: dict[str, bytes]
    shows_catalog: bool

    @property
    def done(self) -> bool:
        return all(place.state == "applied" for place in self.places)


def plan(files: Iterable[tuple[str, bytes]]) -> Plan:
    """Of all pages of the app, with their paths in the archive. Raises `PatchError`."""
    pages = {path: content for path, content in files if any(shape.hint in content for edit in EDITS for shape in edit.shapes)}
    places: list[Place] = []
    contents: dict[str, bytes] = {}
    for edit in EDITS:
        found = [place for shape in edit.shapes if (place := _place(edit, shape, pages))]
        if not found:
            seen = [path for path, content in pages.items() if any(shape.hint in content for shape in edit.shapes)]
            raise PatchError(_not_found(edit, seen))
        places += found
        for shape in edit.shapes:
            for path in [place.file for place in found if place.state == "open"]:
                contents[path] = _edited(shape, contents.get(path, pages[path]))
    return Plan(places, contents, any(_SHOWS_CATALOG in page for page in pages.values()))


def _place(edit: Edit, shape: Shape, pages: Mapping[str, bytes]) -> Place | None:
    still_open = _files(shape.open, shape.hint, pages)
    if len(still_open) > 1:
        where = ", ".join(sorted(set(still_open)))
        raise PatchError(f"{edit.what} was found in {len(still_open)} places ({where}), and only one of them can be meant")
    if still_open:
        return Place(edit.name, still_open[0], "open")
    applied = _files(shape.applied, shape.hint, pages)
    return Place(edit.name, applied[0], "applied") if applied else None


def _files(pattern: bytes, hint: bytes, pages: Mapping[str, bytes]) -> list[str]:
    """A file as often as the pattern is in it."""
    return [path for path, content in pages.items() for _ in _matches(pattern, hint, content)]


def _matches(pattern: bytes, hint: bytes, content: bytes) -> Iterator[re.Match[bytes]]:
    compiled = re.compile(pattern)
    searched = 0
    at = content.find(hint)
    while at >= 0:
        start, end = max(searched, at - _BEFORE), at + _BEHIND
        match = compiled.search(content, start, end)
        if match:
            yield match
        searched = match.end() if match else at + len(hint)
        at = content.find(hint, max(searched, at + len(hint)))


def _edited(shape: Shape, content: bytes) -> bytes:
    """With the one place that `open` finds."""
    for match in _matches(shape.open, shape.hint, content):
        start, end = match.span("gate")
        return content[:start] + shape.by + content[end:]
    return content


def _not_found(edit: Edit, seen: list[str]) -> str:
    names = " and ".join(sorted({f"`{shape.hint.decode()}`" for shape in edit.shapes}))
    where = f"{names} is in {', '.join(seen)}, but not in a form that is known here" if seen else f"no page mentions {names}"
    return f"{edit.what} was not found: {where}"
