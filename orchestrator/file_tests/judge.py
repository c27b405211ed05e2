"""Whether what was seen is what a test expects: no fault, or each with what was expected and what was got. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from codex_shim.stages.contract import json_path

from ..settings.case_table import Expectation
from .seen import Missing

_QUOTED = 200


class Fault(NamedTuple):
    """`place` is the number of the expectation, counted from 0."""

    place: int
    subject: str
    expected: str
    got: str


def faults(expectations: list[Expectation], values: Mapping[str, Any], sent: Mapping[str, Any]) -> list[Fault]:
    """`values` are those of seen.py; `sent` what was sent, under `request` and `headers`."""
    return [fault for place, each in enumerate(expectations) for fault in _judge(place, each, values[each.of], sent.get(each.of))]


def _judge(place: int, expectation: Expectation, value: Any, sent: Any) -> Iterator[Fault]:
    subject = expectation.of + (f": {expectation.path}" if expectation.path else "")
    path = _path(expectation)
    if isinstance(value, Missing):
        if expectation.absent is not True:
            yield Fault(place, subject, _wanted(expectation), f"nothing: {value.why}")
        return
    found = json_path.select(value, path)
    several = json_path.EACH in path
    if not found and not several and not _bears_absence(expectation):
        yield Fault(place, subject, _wanted(expectation), "nothing: the path leads nowhere" + _nearest(value, path))
        return
    got = found if several else found[0] if found else None
    for name, judge in _JUDGES.items():
        wanted = getattr(expectation, name)
        if wanted is not None and (found or several or name in ("absent", "lacks")) and not judge(got, wanted):
            yield Fault(place, subject, _WORDS[name](wanted), quote(got))
    if expectation.absent is not None and bool(found) is expectation.absent:
        yield Fault(place, subject, _WORDS["absent"](expectation.absent), quote(got) if found else "nothing")
    if expectation.unchanged is not None:
        yield from _compared(place, subject, expectation.unchanged, found, json_path.select(sent, path))


def _compared(place: int, subject: str, unchanged: bool, found: list[Any], sent: list[Any]) -> Iterator[Fault]:
    same = [json.dumps(each) for each in found] == [json.dumps(each) for each in sent]
    if same is not unchanged:
        before = f"what was sent, {quote(sent[0] if len(sent) == 1 else sent)}"
        yield Fault(
            place, subject, before if unchanged else f"anything but {before}", quote(found[0] if len(found) == 1 else found)
        )


def _path(expectation: Expectation) -> json_path.Path:
    """A header's name is one step, whatever signs it has, and its case does not count."""
    if expectation.of == "headers" and expectation.path:
        return (expectation.path.lower(),)
    return json_path.parse(expectation.path)


def _bears_absence(expectation: Expectation) -> bool:
    """Whether nothing at all can be what was meant: what is not there lacks everything, and may have been absent before."""
    others = (expectation.equals, expectation.contains, expectation.matches, expectation.count)
    return all(each is None for each in others)


def equals(got: Any, wanted: Any) -> bool:
    """In JSON true is not 1, though Python says so; 1 and 1.0 are the same number."""
    if isinstance(got, bool) or isinstance(wanted, bool):
        return got is wanted
    if isinstance(got, list) and isinstance(wanted, list):
        return len(got) == len(wanted) and all(equals(*pair) for pair in zip(got, wanted, strict=True))
    if isinstance(got, dict) and isinstance(wanted, dict):
        return got.keys() == wanted.keys() and all(equals(got[name], wanted[name]) for name in got)
    return got == wanted


def contains(got: Any, wanted: Any) -> bool:
    """A text is looked for in every text inside `got`; anything else must be an element of a list."""
    if isinstance(wanted, str):
        return any(wanted in text for text in texts(got))
    return isinstance(got, list) and any(equals(each, wanted) for each in got)


def texts(value: Any) -> Iterator[str]:
    """Every text inside a value; the names in a table are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


def matches(got: Any, pattern: str) -> bool:
    """A number counts as it is written; in anything else one text is enough."""
    number = isinstance(got, int | float) and not isinstance(got, bool)
    return any(re.search(pattern, text) for text in ([json.dumps(got)] if number else texts(got)))


def count(got: Any, wanted: int) -> bool:
    return isinstance(got, dict | list | str) and len(got) == wanted


_JUDGES: dict[str, Callable[[Any, Any], bool]] = {
    "equals": equals,
    "contains": contains,
    "lacks": lambda got, wanted: not contains(got, wanted),
    "matches": matches,
    "count": count,
}
_WORDS: dict[str, Callable[[Any], str]] = {
    "equals": lambda wanted: quote(wanted),
    "contains": lambda wanted: f"something with {quote(wanted)} in it",
    "lacks": lambda wanted: f"nothing with {quote(wanted)} in it",
    "matches": lambda wanted: f"a match of {wanted}",
    "count": lambda wanted: f"{wanted} of them",
    "absent": lambda wanted: "nothing" if wanted else "something",
    "unchanged": lambda wanted: "what was sent" if wanted else "anything but what was sent",
}


def _wanted(expectation: Expectation) -> str:
    named = [(name, getattr(expectation, name)) for name in _WORDS]
    return ", and ".join(_WORDS[name](wanted) for name, wanted in named if wanted is not None)


def _nearest(value: Any, path: json_path.Path) -> str:
    """How far the path leads, and what is there."""
    for length in range(len(path) - 1, -1, -1):
        if found := json_path.select(value, path[:length]):
            return f"; where it ends there is {_shape(found[0])}"
    return ""


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return f"a table with {', '.join(map(str, value)) or 'nothing in it'}"
    return f"a list of {len(value)}" if isinstance(value, list) else quote(value)


def quote(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}… ({len(text)} characters)"
