"""Rows come into models.json and go out of it. Pure: text in, text out.

The file is the user's, so nothing in it is written anew: a row is put behind the last one in the layout of the rows there, or is
cut out with its comma. Every result is read again and compared before it counts. Rule of this file: it only ever sees text that
models.py has accepted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from .models import LISTS

_BLANK = " \t\r\n"
_COMPACT = (",", ":")
_DEFAULT_INDENT = "  "
NEW = "[]\n"


class EditError(Exception):
    """The text cannot be edited safely. The message is a clause for a sentence about the file."""


class _Rows(NamedTuple):
    """Where the list stands: its brackets, and the first and the one behind the last character of each row."""

    opening: int
    closing: int
    spans: list[tuple[int, int]]


def add(text: str, row: dict[str, Any]) -> str:
    """The text with one row more, behind all others."""
    rows = _find(text)
    end = "\r\n" if "\r\n" in text else "\n"
    written = _layout(row, [text[start:stop] for start, stop in rows.spans], end)
    if rows.spans:
        place = rows.spans[-1][1]
        after = text[:place] + _separator(text, rows, written) + written + text[place:]
    else:
        indent, deeper = _indents(text, rows.opening)
        after = text[: rows.opening + 1] + end + deeper + written + end + indent + text[rows.closing :]
    return _checked(after, text, [*_values(text), row])


def remove(text: str, place: int) -> str:
    """The text without the row at a place, counted from 0."""
    rows = _find(text)
    start, stop = rows.spans[place]
    if len(rows.spans) == 1:
        start, stop = rows.opening + 1, rows.closing
    elif place == len(rows.spans) - 1:
        start = rows.spans[place - 1][1]
    else:
        stop = rows.spans[place + 1][0]
    values = _values(text)
    return _checked(text[:start] + text[stop:], text, values[:place] + values[place + 1 :])


# -- where things stand -----------------------------------------------------------------------------------------------


def _find(text: str) -> _Rows:
    opening = _list_at(text)
    at, spans = _skip(text, opening + 1), []
    while text[at] != "]":
        stop = _value(text, at)[1]
        spans.append((at, stop))
        at = _behind_comma(text, stop)
    return _Rows(opening, at, spans)


def _list_at(text: str) -> int:
    """Where the list begins: of a key that is there twice, the last one counts, as for every reader of JSON."""
    at = _skip(text, 0)
    if text[at] == "[":
        return at
    found: dict[str, int] = {}
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _value(text, at)
        found[key] = at = _skip(text, _skip(text, at) + 1)  # behind the colon
        at = _behind_comma(text, _value(text, at)[1])
    return found[next(name for name in LISTS if name in found)]


def _value(text: str, at: int) -> tuple[Any, int]:
    """What stands there, and where it ends."""
    return json.JSONDecoder().raw_decode(text, at)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _behind_comma(text: str, at: int) -> int:
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at


# -- how it is laid out -----------------------------------------------------------------------------------------------


def _layout(row: dict[str, Any], others: Sequence[str], end: str) -> str:
    """As the last object there, on one line or on many; the first row gets one line."""
    sample = next((each for each in reversed(others) if each.startswith("{")), "")
    if "\n" in sample:
        lines = sample.split("\n")
        outer = _margin(lines[-1])
        inner = _margin(lines[1]).removeprefix(outer) or _DEFAULT_INDENT
        return (end + outer).join(json.dumps(row, indent=inner, ensure_ascii=False).split("\n"))
    separators = _COMPACT if _is_compact(sample) else None
    return json.dumps(row, ensure_ascii=False, separators=separators)


def _is_compact(sample: str) -> bool:
    return len(sample) > len("{}") and sample == json.dumps(json.loads(sample), ensure_ascii=False, separators=_COMPACT)


def _separator(text: str, rows: _Rows, written: str) -> str:
    """What stands between the last two rows; with only one there, its distance from the bracket."""
    last = rows.spans[-1][0]
    if len(rows.spans) > 1:
        return text[rows.spans[-2][1] : last]
    return "," + (text[rows.opening + 1 : last] or ("" if _is_compact(written) else " "))


def _indents(text: str, opening: int) -> tuple[str, str]:
    """The margin of the line that the list begins on, and that of a row in it."""
    outer = _margin(text[text.rfind("\n", 0, opening) + 1 : opening])
    margins = [_margin(line) for line in text.split("\n") if line.strip()]
    return outer, outer + (next((margin for margin in margins if margin), _DEFAULT_INDENT))


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


# -- whether it is right ----------------------------------------------------------------------------------------------


def _values(text: str) -> list[Any]:
    return _value(text, _list_at(text))[0]


def _checked(after: str, before: str, rows: list[Any]) -> str:
    """As text, so that even NaN is equal to itself."""
    try:
        right = json.dumps(_values(after)) == json.dumps(rows) and _around(after) == _around(before)
    except (ValueError, LookupError):
        right = False
    if not right:
        raise EditError("it is written in a way that rows do not fit into; edit it by hand")
    return after


def _around(text: str) -> str:
    """All but the list that counts."""
    document = json.loads(text)
    if not isinstance(document, dict):
        return ""
    counts = next(name for name in LISTS if name in document)
    return json.dumps({**document, counts: None})
