import re
from typing import Any

from codex_shim.stages.contract.notes import Notes
from codex_shim.stages.contract.tools import NAME_LIMIT, ToolTable
from hypothesis import given
from hypothesis import strategies as st


def table(*specs: Any) -> ToolTable:
    made = ToolTable()
    made.declare(specs, Notes())
    return made


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name}


def namespace(name: str, *members: str) -> dict[str, Any]:
    return {"type": "namespace", "name": name, "description": f"About {name}.", "tools": [function(member) for member in members]}


def test_a_namespace_is_flattened_and_found_again():
    tools = table(namespace("mcp__demo", "echo", "add"))
    assert [tool.flat for tool in tools.offered] == ["mcp__demo__echo", "mcp__demo__add"]
    echo = tools.resolve("mcp__demo__echo")
    assert (echo.name, echo.namespace) == ("echo", "mcp__demo")


def test_what_a_namespace_says_of_itself_is_said_once():
    assert [tool.preface for tool in table(namespace("n", "a", "b")).offered] == ["About n.", None]


def test_the_default_namespace_is_no_namespace():
    tool = table(namespace("functions", "exec")).resolve("exec")
    assert (tool.flat, tool.namespace) == ("exec", None)


def test_the_kinds_of_tools_are_kept_apart():
    tools = table(function("f"), {"type": "custom", "name": "c"}, {"type": "tool_search", "execution": "client"})
    assert [tools.resolve(name).kind for name in ("f", "c", "tool_search")] == [
        "function_call",
        "custom_tool_call",
        "tool_search_call",
    ]


def test_a_later_tool_of_the_same_flat_name_gets_a_hash():
    tools = table(function("a__b"), namespace("a", "b"))
    first, second = tools.offered
    assert first.flat == "a__b"
    assert second.flat.startswith("a__b_")
    assert tools.resolve(second.flat) is second


def test_a_tool_declared_twice_is_the_first_of_the_two():
    assert len(table(function("a"), {**function("a"), "description": "again"}).offered) == 1


def test_a_tool_known_from_the_history_is_found_but_not_offered():
    tools = ToolTable()
    assert tools.flat_name("custom_tool_call", "apply_patch") == "apply_patch"
    assert tools.resolve("apply_patch").kind == "custom_tool_call"
    assert tools.offered == []


def test_other_spellings_are_understood_where_they_can_mean_one_tool_only():
    tools = table(namespace("a", "x", "same"), namespace("b", "same"))
    for spelling in ("x", "a.x", "a/x", "A__X", "functions.a__x"):
        assert tools.resolve(spelling).flat == "a__x"
    assert tools.resolve("same").namespace is None
    assert tools.resolve("b.same").flat == "b__same"


def test_a_name_nobody_declared_stays_what_it_is():
    unknown = table(function("a")).resolve("nope")
    assert (unknown.kind, unknown.name, unknown.spec) == ("function_call", "nope", None)


def test_what_cannot_be_offered_is_said():
    notes = Notes()
    ToolTable().declare([{"type": "web_search"}, {"type": "web_search"}, {"type": "namespace", "name": "x"}, 5], notes)
    assert notes.all() == [
        "web_search is a hosted tool this upstream cannot run; it was not offered",
        "a namespace without a name or tools was not offered",
        "a tool without a type was not offered",
    ]


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=90)


@given(st.lists(st.tuples(names | st.none(), names), unique=True, max_size=8))
def test_every_flat_name_is_legal_and_leads_back(keys: list[tuple[str | None, str]]):
    specs = [
        function(name) if space is None else {"type": "namespace", "name": space, "tools": [function(name)]} for space, name in keys
    ]
    tools = table(*specs)
    for tool in tools.offered:
        assert re.fullmatch(rf"[a-zA-Z0-9_-]{{1,{NAME_LIMIT}}}", tool.flat)
        assert tools.resolve(tool.flat) is tool
    assert [tool.flat for tool in tools.offered] == [tool.flat for tool in table(*specs).offered]
