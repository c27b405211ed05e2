"""The `[[test]]` tables: what each may say, and that what it names exists. Nothing is run here.

Rule of this file: a test is judged with the `[[stage]]` tables as they are written, also those with problems of their own, so that
all problems come out at once.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from codex_shim.stages.contract import json_path

from .positions import Path as At
from .problems import did_you_mean
from .strict import Reader, valid_part

Of = Literal["request", "headers", "answer", "text", "events", "status", "route"]
ALL = "all"
ASSERTIONS = ("equals", "contains", "lacks", "matches", "count", "absent", "unchanged")
_WHOLE: tuple[Of, ...] = ("text", "status")  # they have no parts
_REQUEST: tuple[Of, ...] = ("request", "headers")  # what can be compared with what was sent

_Status = Annotated[int, msgspec.Meta(ge=400, le=599)]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must hold of one value. Those of `ASSERTIONS` that are not None must all hold."""

    of: Of = "request"
    path: str = ""
    equals: Any = None
    contains: Any = None
    lacks: Any = None
    matches: str | None = None
    count: _Count | None = None
    absent: bool | None = None
    unchanged: bool | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool call in the scripted answer: with `input` of a freeform tool, else of a function."""

    call: str
    arguments: dict[str, Any] = {}
    input: str | None = None
    namespace: str | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An error as the scripted answer."""

    status: _Status
    message: str = "the scripted error"
    code: str | None = None
    retry_after: Annotated[float, msgspec.Meta(ge=0)] | None = None


class CaseKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    through: str | list[str] = ALL
    request: dict[str, Any] | None = None
    request_file: str | None = None
    headers: dict[str, str] = {}
    answer: Any = None
    answer_file: str | None = None
    expect: list[Expectation] = []


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One test. `through` names its stages in the order of the chain; `script` is what the scripted next hop says; the files are
    absolute. `place` is its table's number, counted from 0."""

    name: str
    place: int
    through: tuple[str, ...]
    request: dict[str, Any] | None
    request_file: Path | None
    headers: dict[str, str]
    script: list[str | Call] | Refusal
    answer_file: Path | None
    expect: list[Expectation]


def read(tables: Any, stages: list[dict[str, Any]], reader: Reader, folder: Path) -> list[Case]:
    """`stages` are the `[[stage]]` tables as written, `folder` is the one of the file."""
    if not (isinstance(tables, list) and all(isinstance(each, dict) for each in tables)):
        reader.at_key(("test",), "each test is a table of its own, and its header has two brackets: [[test]]")
        return []
    cases = _CaseReader(reader, stages, folder)
    return [case for place, table in enumerate(tables) if (case := cases.read(table, place))]


class _CaseReader:
    def __init__(self, reader: Reader, stages: list[dict[str, Any]], folder: Path) -> None:
        self.reader = reader
        self.stages = {str(stage.get("name")): stage for stage in stages}
        self.folder = folder
        self.names: set[str] = set()

    def read(self, table: dict[str, Any], place: int) -> Case | None:
        """None if there was a problem with this table."""
        at: At = ("test", place)
        known = len(self.reader.problems)
        where = self.label(table, place)
        keys = self.reader.decode(table, CaseKeys, at, where)
        keys = keys or CaseKeys(**{"name": "", **valid_part(table, CaseKeys)})
        self.name(keys.name, at)
        through = self.through(keys.through, at, where)
        self.exclusive(table, at, where)
        script = self.script(keys.answer, (*at, "answer"))
        for number, expectation in enumerate(keys.expect):
            self.expectation(expectation, (*at, "expect", number), through)
        if not table.get("expect"):
            self.reader.at_key(at, f"{where} expects nothing; add a table [[test.expect]]")
        request_file, answer_file = (self.file(getattr(keys, key), (*at, key)) for key in ("request_file", "answer_file"))
        if len(self.reader.problems) != known:
            return None
        return Case(
            name=keys.name,
            place=place,
            through=through,
            request=keys.request,
            request_file=request_file,
            headers=keys.headers,
            script=script,
            answer_file=answer_file,
            expect=keys.expect,
        )

    def label(self, table: dict[str, Any], place: int) -> str:
        name = table.get("name")
        return f"test `{name}`" if isinstance(name, str) and name else f"[[test]] number {place + 1}"

    def name(self, name: str, at: At) -> None:
        if name and name in self.names:
            self.reader.at_value((*at, "name"), f"there are two tests called `{name}`")
        self.names.add(name)

    def through(self, written: str | list[str], at: At, where: str) -> tuple[str, ...]:
        """The stages in the order of the chain. Names are reported one by one, the order as a whole."""
        at = (*at, "through")
        names = list(self.stages) if written == ALL else [written] if isinstance(written, str) else written
        if not names:
            self.reader.at_value(at, f"{where} goes through no stage; name some, or leave `through` out for the whole chain")
        for number, name in enumerate(names):
            spot = (*at, number) if isinstance(written, list) else at
            if name not in self.stages:
                self.reader.at_value(spot, f"there is no stage named `{name}`{did_you_mean(name, self.stages)}")
            elif "url" in self.stages[name]:
                self.reader.at_value(
                    spot, f"`{name}` is an outside proxy, which a test cannot lead elsewhere; name the other stages"
                )
        in_order = [name for name in self.stages if name in names]
        if all(name in self.stages for name in names) and in_order != names:
            self.reader.at_value(at, f"the chain has these stages in another order: {', '.join(in_order)}")
        return tuple(in_order)

    def exclusive(self, table: dict[str, Any], at: At, where: str) -> None:
        if not table.keys() & {"request", "request_file"}:
            self.reader.at_key(at, f"{where} has no `request`, and no `request_file`")
        for one, other in (("request", "request_file"), ("answer", "answer_file")):
            if one in table and other in table:
                self.reader.at_key((*at, other), f"{where} has both `{one}` and `{other}`; give one of them")

    def script(self, answer: Any, at: At) -> list[str | Call] | Refusal:
        """A text, a call, an error, or a list of texts and calls."""
        if isinstance(answer, dict) and "status" in answer:
            return self.reader.decode(answer, Refusal, at, "the error in `answer`") or Refusal(status=500)
        parts = answer if isinstance(answer, list) else ["OK" if answer is None else answer]
        found: list[str | Call] = []
        for number, part in enumerate(parts):
            spot = (*at, number) if isinstance(answer, list) else at
            if isinstance(part, str):
                found.append(part)
            elif isinstance(part, dict) and (call := self.reader.decode(part, Call, spot, "the call in `answer`")):
                found.append(call)
            elif not isinstance(part, dict):
                self.reader.at_value(spot, '`answer` must be a text, a call like { call = "shell" }, a list of these, or an error')
        return found

    def expectation(self, expectation: Expectation, at: At, through: tuple[str, ...]) -> None:
        of = expectation.of
        if all(getattr(expectation, name) is None for name in ASSERTIONS):
            self.reader.at_key(at, f"this expects nothing; give it one of {', '.join(f'`{name}`' for name in ASSERTIONS)}")
        self.path(expectation, at)
        if expectation.matches is not None:
            self.pattern(expectation.matches, (*at, "matches"))
        if of == "route" and not any(self.stages[name].get("use") == "router" for name in through):
            self.reader.at_value((*at, "of"), "only a router chooses a route; let the test go `through` it")
        if expectation.unchanged is not None and of not in _REQUEST:
            self.reader.at_key((*at, "unchanged"), f'`unchanged` compares with what was sent, so it has no meaning for of = "{of}"')

    def path(self, expectation: Expectation, at: At) -> None:
        try:
            json_path.parse(expectation.path)
        except json_path.PathError as error:
            self.reader.at_value((*at, "path"), f"`path` {error}")
        if expectation.path and expectation.of in _WHOLE:
            self.reader.at_key((*at, "path"), f'`path` has no meaning for of = "{expectation.of}", which has no parts')

    def pattern(self, written: str, at: At) -> None:
        try:
            re.compile(written)
        except re.error as error:
            self.reader.at_value(at, f"`matches` is not a regular expression: {error}")

    def file(self, written: str | None, at: At) -> Path | None:
        if written is None:
            return None
        path = self.folder / Path(written).expanduser()
        if not path.is_file():
            self.reader.at_value(at, f"there is no file {path}")
        return path
