import pytest
from codex_shim.stages.contract.events import ResponseBuilder
from codex_shim.stages.contract.tools import Kind, Tool
from codex_shim.stages.egress_http.dialects.call_writer import CallWriter, value_of


def tool(kind: Kind, name: str = "t") -> Tool:
    return Tool(flat=name, kind=kind, name=name)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ("", "{}"),
        (" \n", "{}"),
        ('{"a": 1}', '{"a": 1}'),
        ('{"a": 1', '{"a": 1'),
        ('{"a": 1000.0, "b": [{"c": -2.00}]}', '{"a":1000,"b":[{"c":-2}]}'),
        ('{"a": "1.0"}', '{"a": "1.0"}'),
        ('{"a": 1.05}', '{"a": 1.05}'),
        ('{"a": 1e300, "b": 1.0e400}', '{"a": 1e300, "b": 1.0e400}'),
        ("[1.0]", "[1.0]"),
    ],
)
def test_arguments_are_changed_only_where_codex_would_refuse_them(arguments: str, value: str):
    assert value_of(tool("function_call"), arguments) == value


def test_the_input_of_a_freeform_tool_is_taken_out():
    assert value_of(tool("custom_tool_call"), '{"input": "x"}') == "x"
    assert value_of(tool("custom_tool_call", "apply_patch"), '{"input": "```\\n*** Begin Patch\\n```"}') == "*** Begin Patch"
    assert value_of(tool("custom_tool_call"), '{"input": "x') is None


def test_what_was_not_shown_yet_is_shown_at_the_end(builder: ResponseBuilder):
    writer = CallWriter(builder, tool("function_call"), "call_a")
    events = [*writer.begin(), *writer.add('{"a"'), *writer.end('{"a":1}')]
    assert [event["delta"] for event in events if "delta" in event] == ['{"a"', ":1}"]


def test_a_search_has_its_arguments_as_an_object(builder: ResponseBuilder):
    writer = CallWriter(builder, tool("tool_search_call"), "call_a")
    assert writer.begin() == writer.add("x") == []
    item = writer.end('{"query": "git"}')[-1]["item"]
    assert item == {
        "type": "tool_search_call",
        "id": "tsc_call_a",
        "call_id": "call_a",
        "execution": "client",
        "status": "completed",
        "arguments": {"query": "git"},
    }
    assert CallWriter(builder, tool("tool_search_call"), "call_b").end("git")[-1]["item"]["arguments"] == {"query": "git"}
