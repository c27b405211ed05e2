"""Any JSON Schema becomes one of the subset."""

from __future__ import annotations

from typing import Any

import gemini_rules
import pytest
from codex_shim.stages.egress_http.dialects.gemini.schema import convert
from hypothesis import given, settings
from hypothesis import strategies as st

types = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])
schemas = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": types | st.lists(types, max_size=3),
            "enum": st.sampled_from([[1, 2], ["a"], [None], []]),
            "const": st.sampled_from([1, "x", None]),
            "format": st.sampled_from(["uuid", "date-time", "int64"]),
            "$ref": st.sampled_from(["#/$defs/a", "#/$defs/gone"]),
            "description": st.just("d"),
            "default": st.just(1),
            "required": st.just(["a", "gone"]),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": types,
            "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
            "items": inner | st.lists(inner, max_size=2),
            "anyOf": st.lists(inner, max_size=3),
            "oneOf": st.lists(inner, max_size=2),
            "allOf": st.lists(inner, max_size=2),
            "$defs": st.fixed_dictionaries({"a": inner}),
            "additionalProperties": inner,
        },
    ),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(schemas)
def test_any_schema_becomes_one_of_the_subset(schema: dict[str, Any]) -> None:
    gemini_rules.schema(
        convert({"type": "object", **schema, "$defs": {"a": {"type": "object", "properties": {"next": {"$ref": "#/$defs/a"}}}}})
    )


@pytest.mark.parametrize(
    ("schema", "converted"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d"},
            {"type": "string", "description": "d", "nullable": True},
        ),
        ({"const": "x"}, {"type": "string", "enum": ["x"]}),
        ({"type": "integer", "enum": [1, 2]}, {"type": "integer", "description": "One of: 1, 2."}),
        ({"type": "string", "format": "uuid", "default": "x"}, {"type": "string"}),
        ({"type": "array"}, {"type": "array", "items": {"type": "string"}}),
        (
            {"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": {"type": "string"}}}]},
            {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "string"}}, "required": ["a"]},
        ),
    ],
)
def test_what_is_said_otherwise(schema: dict[str, Any], converted: dict[str, Any]) -> None:
    assert convert(schema) == converted


def test_a_schema_that_refers_to_itself_ends() -> None:
    node = {"type": "object", "properties": {name: {"$ref": "#/$defs/n"} for name in ("left", "right", "up")}}
    assert convert({"$ref": "#/$defs/n", "$defs": {"n": node}}) == {
        "type": "object",
        "properties": {name: {"type": "object"} for name in ("left", "right", "up")},
    }


def test_each_of_several_types_keeps_what_belongs_to_it() -> None:
    schema = {"type": ["string", "array", "null"], "items": {"type": "integer"}, "enum": ["a"], "description": "d"}
    assert convert({"type": "object", "properties": {"p": schema}})["properties"]["p"] == {
        "description": "d",
        "anyOf": [
            {"type": "string", "description": "d", "enum": ["a"]},
            {"type": "array", "description": "d One of: a.", "items": {"type": "integer"}},
        ],
        "nullable": True,
    }


@pytest.mark.parametrize(("value", "kind"), [(True, "boolean"), (3, "integer"), (0.5, "number"), ("x", "string")])
def test_a_value_tells_its_type(value: Any, kind: str) -> None:
    assert convert({"type": "object", "properties": {"p": {"const": value}}})["properties"]["p"]["type"] == kind
