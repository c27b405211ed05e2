"""Decodes tables of a user's file into msgspec structs, strictly, and collects every problem instead of stopping at the first.

msgspec decides what is valid; only when it refuses is the table walked again, field by field, to say all that is wrong in plain
words. Rule of this file: a sentence says which type was found, never the value (a mistyped credential is still one).
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from .positions import Path, Positions
from .problems import Problem, did_you_mean

S = TypeVar("S", bound=msgspec.Struct)


class Reader:
    """Reads parts of one file. `where` in its methods names the table in a sentence: `[pipeline]`, ``stage `trim` ``."""

    def __init__(self, path: str, positions: Positions, table: str = "a table") -> None:
        self.path = path
        self.positions = positions
        self.table = table  # what a mapping is called in this kind of file
        self._problems: list[Problem] = []

    @property
    def problems(self) -> list[Problem]:
        """In the order of the file."""
        return sorted(self._problems, key=lambda problem: (problem.line, problem.column))

    def at_key(self, path: Path, sentence: str) -> None:
        self._add(self.positions.key(path), sentence)

    def at_value(self, path: Path, sentence: str) -> None:
        self._add(self.positions.value(path), sentence)

    def _add(self, place: tuple[int, int], sentence: str) -> None:
        """One line for a terminal, whatever control characters a quoted key has."""
        safe = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in sentence)
        self._problems.append(Problem(self.path, *place, safe))

    def decode(self, table: Any, struct: type[S], path: Path, where: str) -> S | None:
        """None if there was a problem; all of them are then in `problems`."""
        try:
            return msgspec.convert(table, struct)
        except msgspec.ValidationError as error:
            message = str(error)
        known = len(self._problems)
        self._struct(table, struct, path, where, where)
        if len(self._problems) == known:
            self.at_key(path, f"{where}: {message[:1].lower()}{message[1:]}")
        return None

    def unknown_keys(self, table: Iterable[str], allowed: Iterable[str], path: Path, where: str) -> None:
        allowed = list(allowed)
        for key in table:
            if key not in allowed:
                self.at_key((*path, key), f"unknown key `{key}` in {where}{did_you_mean(key, allowed)}")

    def check(self, value: Any, kind: Any, path: Path, name: str) -> bool:
        """Is `value` a `kind`? `name` is the subject of the sentence if not: "`listen` in [pipeline]"."""
        known = len(self._problems)
        self._value(value, kind, path, name)
        return len(self._problems) == known

    def _value(self, value: Any, kind: Any, path: Path, name: str) -> None:
        kind = _bare(kind, value)
        origin = get_origin(kind)
        if tagged := _tagged(kind):
            self._tagged(value, tagged, path, name)
        elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            self._struct(value, kind, path, name, name)
        elif origin is list and isinstance(value, list):
            for index, item in enumerate(value):
                self._value(item, get_args(kind)[0], (*path, index), f"item {index + 1} of {name}")
        elif origin is dict and isinstance(value, dict):
            for key, item in value.items():
                self._value(item, get_args(kind)[1], (*path, key), f"`{key}` in {name}")
        elif not _fits(value, kind):
            self.at_value(path, f"{name} must be {self._expected(value, kind)}")

    def _tagged(self, value: Any, structs: dict[str, type[msgspec.Struct]], path: Path, name: str) -> None:
        """A table that says itself which of several kinds it is."""
        field = next(iter(structs.values())).__struct_config__.tag_field or ""
        if not isinstance(value, dict):
            self.at_value(path, f"{name} must be {self.table}, not {self._found(value)}")
        elif not isinstance(value.get(field), str):
            self.at_key(path, f"{name} does not say what it is; give it `{field}`, one of {_listed(structs)}")
        elif value[field] not in structs:
            hint = did_you_mean(value[field], structs) or f"; there are {_listed(structs)}"
            self.at_value((*path, field), f"{name} has an unknown `{field}`{hint}")
        else:
            self._struct(value, structs[value[field]], path, f"{name} (`{value[field]}`)", name)

    def _struct(self, table: Any, struct: type[msgspec.Struct], path: Path, where: str, name: str) -> None:
        if not isinstance(table, dict):
            self.at_value(path, f"{name} must be {self.table}, not {self._found(table)}")
            return
        fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
        if struct.__struct_config__.forbid_unknown_fields:
            self.unknown_keys([key for key in table if key != struct.__struct_config__.tag_field], fields, path, where)
        for key, field in fields.items():
            if key in table:
                self._value(table[key], field.type, (*path, key), f"`{key}` in {where}")
            elif field.required:
                self.at_key(path, f"{where} has no `{key}`")

    def _expected(self, value: Any, kind: Any) -> str:
        """What `value` should be and is not."""
        if get_origin(kind) is Annotated:
            plain, meta, *_ = get_args(kind)
            return _limits(meta) if _fits(value, plain) else self._expected(value, plain)
        if get_origin(kind) is Literal and isinstance(value, str):
            return f'{self._word(kind)}, not "{value}"'  # one word of a fixed few: no place where a credential would stand
        return f"{self._word(kind)}, not {self._found(value)}"

    def _word(self, kind: Any) -> str:
        origin = get_origin(kind)
        if origin is Literal:
            return " or ".join(f'"{word}"' for word in get_args(kind))
        if origin in (Union, types.UnionType):
            return " or ".join(self._word(each) for each in get_args(kind))
        if origin is list:
            return f"a list of {_PLURALS.get(get_args(kind)[0], 'values')}"
        return self.table if origin is dict else _WORDS[kind]

    def _found(self, value: Any) -> str:
        return self.table if isinstance(value, dict) else _FOUND.get(type(value), "a date or time")


def valid_part(table: Any, struct: type[msgspec.Struct]) -> dict[str, Any]:
    """What is right in a table that `decode` refused, so that what it means can be checked too."""
    fields = msgspec.structs.fields(struct) if isinstance(table, dict) else ()
    return {each.name: table[each.name] for each in fields if each.name in table and _fits(table[each.name], each.type)}


_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
_PLURALS = {str: "strings", int: "whole numbers", float: "numbers", dict: "tables"}
_FOUND = {str: "a string", int: "a number", float: "a decimal number", bool: "a boolean", list: "a list", type(None): "null"}
_LIMITS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def _bare(kind: Any, value: Any) -> Any:
    """Of `X | None`, the X, unless the value is the None."""
    if get_origin(kind) in (Union, types.UnionType) and value is not None:
        others = [each for each in get_args(kind) if each is not type(None)]
        return others[0] if len(others) == 1 else kind
    return kind


def _tagged(kind: Any) -> dict[str, type[msgspec.Struct]]:
    """The structs of a union that tell themselves apart, by their tags; none for any other kind."""
    if get_origin(kind) not in (Union, types.UnionType):
        return {}
    structs = [each for each in get_args(kind) if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    return {str(each.__struct_config__.tag): each for each in structs if each.__struct_config__.tag is not None}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _limits(meta: Any) -> str:
    """Those of a `msgspec.Meta`, in words."""
    return " and ".join(f"{word} {limit:g}" for name, word in _LIMITS.items() if (limit := getattr(meta, name)) is not None)
