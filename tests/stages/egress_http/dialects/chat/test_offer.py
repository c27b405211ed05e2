from typing import Any

import pytest
from codex_shim.stages.contract import choosing
from codex_shim.stages.contract.notes import Notes
from codex_shim.stages.contract.tools import ToolTable
from codex_shim.stages.egress_http.config import Quirks
from codex_shim.stages.egress_http.dialects.chat import offer

SPECS = [{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}]


def table(*specs: Any) -> ToolTable:
    tools = ToolTable()
    tools.declare(specs or SPECS, Notes())
    return tools


def parameters(schema: Any) -> Any:
    tool = table({"type": "function", "name": "f", "parameters": schema}).offered[0]
    return offer.offer(tool, Quirks(), True)["function"]["parameters"]


def choose(given: Any, tools: ToolTable, notes: Notes) -> Any:
    return offer.choose(choosing.choose(given, tools, notes), Quirks(), notes)


@pytest.mark.parametrize("schema", [None, {}, {"type": "object"}, {"properties": None}, {"type": None}, True])
def test_the_root_of_a_schema_is_always_an_object_with_properties(schema: Any):
    assert parameters(schema) == {"type": "object", "properties": {}}


def test_encrypted_is_taken_out_where_it_is_a_keyword():
    schema = {"type": "object", "properties": {"encrypted": {"type": "string", "encrypted": True}}, "default": {"encrypted": True}}
    assert parameters(schema) == {"type": "object", "properties": {"encrypted": {"type": "string"}}, "default": {"encrypted": True}}


def test_the_clients_schema_is_left_alone():
    schema = {"type": "object", "properties": {"a": {"encrypted": True}}}
    parameters(schema)
    assert schema == {"type": "object", "properties": {"a": {"encrypted": True}}}


@pytest.mark.parametrize(("given", "sent"), [(None, "auto"), ("auto", "auto"), ("none", "none"), ("required", "required")])
def test_a_plain_choice_is_handed_on(given: Any, sent: str):
    notes = Notes()
    choice, offered = choose(given, table(), notes)
    assert (choice, len(offered), notes.all()) == (sent, 2, [])


@pytest.mark.parametrize("name", ["f", "c"])
def test_a_named_tool_is_a_named_function(name: str):
    choice, _ = choose({"type": "custom" if name == "c" else "function", "name": name}, table(), Notes())
    assert choice == {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize("given", ["any", {"type": "web_search"}, {"type": "function", "name": "gone"}, 5, {}])
def test_a_choice_that_cannot_be_asked_for_is_left_to_the_model_and_noted(given: Any):
    notes = Notes()
    assert choose(given, table(), notes)[0] == "auto"
    assert len(notes.all()) == 1


def test_allowed_tools_are_the_only_ones_offered():
    choice, offered = choose(
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "c"}]}, table(), Notes()
    )
    assert (choice, [tool.flat for tool in offered]) == ("required", ["c"])
    assert choose({"type": "allowed_tools"}, table(), Notes()) == ("auto", [])
