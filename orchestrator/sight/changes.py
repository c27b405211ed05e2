"""What differs between two JSON texts, by the path of each difference. Pure.

Two values are the same only where a provider's prompt cache would think so too: `1`, `1.0` and `true` differ, and so do two objects
whose keys stand in another order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal

import msgspec

Kind = Literal["added", "removed", "changed", "order"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NAMES = ("id", "call_id", "name")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is like `input[3].content[0].text`, empty for the whole; of what was removed it is the one of before. `order` means
    that the keys of an object stand in another order; the two values are the keys then."""

    kind: Kind
    path: str
    before: Any = None
    after: Any = None


class Number(float):
    """A number that remembers how it was spelt: `1.0` is not `1.00` to a cache."""

    def __new__(cls, spelt: str) -> Number:
        made = super().__new__(cls, spelt)
        made.spelt = spelt
        return made

    spelt: str

    def __repr__(self) -> str:
        return self.spelt


def parse(text: str) -> Any:
    """A JSON value whose numbers keep their spelling. Raises `ValueError` for what is none."""
    try:
        return json.loads(text, parse_float=Number)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def changes(before: Any, after: Any) -> list[Change]:
    """Of two parsed values, in the order of the document."""
    return list(_changes(before, after, ""))


def beneath(path: str, key: str | int) -> str:
    """The path of what an object or a list at `path` holds."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN.fullmatch(key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def _changes(before: Any, after: Any, path: str) -> Iterator[Change]:
    if _same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_objects(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    else:
        yield Change(kind="changed", path=path, before=before, after=after)


def _of_objects(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[Change]:
    old, new = [name for name in before if name in after], [name for name in after if name in before]
    if old != new:
        yield Change(kind="order", path=path, before=list(before), after=list(after))
    for name, value in before.items():
        if name not in after:
            yield Change(kind="removed", path=beneath(path, name), before=value)
    for name, value in after.items():
        if name not in before:
            yield Change(kind="added", path=beneath(path, name), after=value)
        else:
            yield from _changes(before[name], value, beneath(path, name))


def _of_lists(before: list[Any], after: list[Any], path: str) -> Iterator[Change]:
    """What stands in the middle of both moves along; so an item that is put in front of others is one change, not one for each."""
    matcher = SequenceMatcher(None, [repr(each) for each in before], [repr(each) for each in after], autojunk=False)
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        if kind != "equal":
            yield from _of_runs(before, range(i, i_end), after, range(j, j_end), path)


def _of_runs(before: list[Any], old: Sequence[int], after: list[Any], new: Sequence[int], path: str) -> Iterator[Change]:
    """Two runs without an equal item: those that seem to be the same thing are compared, the others have come or gone."""
    kin = SequenceMatcher(None, [_kin(before[i]) for i in old], [_kin(after[j]) for j in new], autojunk=False)
    for kind, i, i_end, j, j_end in kin.get_opcodes():
        if kind == "equal" or (kind == "replace" and i_end - i == j_end - j):
            for left, right in zip(old[i:i_end], new[j:j_end], strict=True):
                yield from _changes(before[left], after[right], beneath(path, right))
            continue
        for left in old[i:i_end]:
            yield Change(kind="removed", path=beneath(path, left), before=before[left])
        for right in new[j:j_end]:
            yield Change(kind="added", path=beneath(path, right), after=after[right])


def _kin(value: Any) -> str:
    """By what an item is taken for the one of before: its kind, its role and its name."""
    if not isinstance(value, dict):
        return type(value).__name__
    name = next((str(value[each]) for each in _NAMES if each in value), "")
    return f"{value.get('type')} {value.get('role')} {name}"


def _same(before: Any, after: Any) -> bool:
    """`==` would take 1 for true, and not look at the order of keys."""
    return before is after or repr(before) == repr(after)
