"""Change what a JSON path names, and nothing else. Pure: the value that comes in stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ..contract.json_path import Step


class _Absent:
    """What stands where nothing stands."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
Alter = Callable[[Any], Any]


def altered(value: Any, path: Sequence[Step], alter: Alter) -> Any:
    """`value` with what is at `path` altered. `alter` gets and may return `ABSENT`; objects on the way to a name are made where it
    returns something else. Items of lists are never made, and what is in the way of a name is left alone."""
    if not path:
        return alter(value)
    step, rest = path[0], path[1:]
    if step is None:  # EACH
        return _each(value, rest, alter)
    if isinstance(step, int):
        return _item(value, step, rest, alter)
    if value is not ABSENT and value is not None and not isinstance(value, dict):
        return value
    return _field(value, step, rest, alter)


def same(one: Any, other: Any) -> bool:
    """Whether both are the same JSON: in Python, `True` is 1 and 1.0 as well."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    return type(one) is type(other) and one == other


def _field(value: Any, name: str, rest: Sequence[Step], alter: Alter) -> Any:
    fields = value if isinstance(value, dict) else {}
    new = altered(fields.get(name, ABSENT), rest, alter)
    if new is ABSENT:
        return {key: each for key, each in fields.items() if key != name} if name in fields else value
    return {**fields, name: new}


def _item(value: Any, place: int, rest: Sequence[Step], alter: Alter) -> Any:
    if not isinstance(value, list) or not -len(value) <= place < len(value):
        return value
    place %= len(value)
    new = altered(value[place], rest, alter)
    return [*value[:place], *([] if new is ABSENT else [new]), *value[place + 1 :]]


def _each(value: Any, rest: Sequence[Step], alter: Alter) -> Any:
    if isinstance(value, list):
        return [new for each in value if (new := altered(each, rest, alter)) is not ABSENT]
    if isinstance(value, dict):
        return {name: new for name, each in value.items() if (new := altered(each, rest, alter)) is not ABSENT}
    return value
