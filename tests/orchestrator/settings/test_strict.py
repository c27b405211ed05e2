"""msgspec decides what is valid; the sentences say what it refused, and nothing of what stood there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from codex_shim.orchestrator.settings.positions import Positions
from codex_shim.orchestrator.settings.strict import Reader, valid_part
from hypothesis import given
from hypothesis import strategies as st


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    need: str
    level: Literal["low", "high"] = "low"


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    flag: bool = False
    count: Annotated[int, msgspec.Meta(ge=1, lt=10)] = 1
    inner: Inner | None = None
    inners: list[Inner] = []
    names: dict[str, str] = {}
    either: str | list[str] = ""
    anything: Any = None


CASES: dict[str, tuple[Any, list[str]]] = {
    "unknown": ({"cuont": 1}, ["unknown key `cuont` in [x]; did you mean `count`?"]),
    "boolean is no number": ({"count": True}, ["`count` in [x] must be a whole number, not a boolean"]),
    "limits": ({"count": 10}, ["`count` in [x] must be at least 1 and less than 10"]),
    "string is no boolean": ({"flag": "true"}, ["`flag` in [x] must be true or false, not a string"]),
    "missing": ({"inner": {}}, ["`inner` in [x] has no `need`"]),
    "literal": ({"inner": {"need": "", "level": "mid"}}, ['`level` in `inner` in [x] must be "low" or "high", not "mid"']),
    "literal of another type": ({"inners": [{"need": "", "level": 1}]}, [
        '`level` in item 1 of `inners` in [x] must be "low" or "high", not a number',
    ]),
    "several": ({"inners": [{}, 3], "names": {"a": 1}}, [
        "item 1 of `inners` in [x] has no `need`",
        "item 2 of `inners` in [x] must be a table, not a number",
        "`a` in `names` in [x] must be a string, not a number",
    ]),
    "one of two types": ({"either": 1}, ["`either` in [x] must be a string or a list of strings, not a number"]),
    "not a table": ([], ["[x] must be a table, not a list"]),
    "null": ({"names": None}, ["`names` in [x] must be a table, not null"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_sentences(case: str) -> None:
    table, sentences = CASES[case]
    reader = Reader("file", Positions(""))
    assert reader.decode(table, Outer, ("x",), "[x]") is None
    assert [problem.sentence for problem in reader.problems] == sentences


def test_what_is_right_is_decoded() -> None:
    reader = Reader("file", Positions(""))
    table = {"inner": {"need": "a"}, "either": ["b"], "anything": {"c": 1}}
    assert reader.decode(table, Outer, (), "[x]") == Outer(inner=Inner("a"), either=["b"], anything={"c": 1})
    assert reader.problems == []


def test_the_valid_part_of_a_table() -> None:
    assert valid_part({"flag": True, "count": 99, "unknown": 1}, Outer) == {"flag": True}
    assert valid_part("no table", Outer) == {}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.floats() | st.sampled_from(["low", "SECRET"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["need", "level", "zzz"]), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from([*Outer.__struct_fields__, "zzz"]), VALUES))
def test_agrees_with_msgspec(table: dict[str, Any]) -> None:
    reader = Reader("file", Positions(""))
    decoded = reader.decode(table, Outer, (), "[x]")
    assert (decoded is None) == bool(reader.problems)
    assert all(problem.sentence.startswith(("`", "unknown", "item")) for problem in reader.problems)
