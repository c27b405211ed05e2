"""Schemas for servers that take less than JSON Schema."""

from typing import Any

import msgspec
import pytest
from codex_shim.stages.egress_http.config import Quirks
from codex_shim.stages.egress_http.dialects.chat.subset import fit

EMPTY = {"type": "object", "properties": {}}


def fitted(properties: dict[str, Any], fix: list[str] | None = None, drop: list[str] | None = None, **root: Any) -> Any:
    quirks = msgspec.convert({"schema_fix": fix or [], "schema_drop": drop or []}, Quirks)
    return fit({"type": "object", "properties": properties, **root}, quirks)


def test_the_plain_server_gets_the_schema_as_it_is():
    schema = {"type": "object", "properties": {"a": {"anyOf": [{"$ref": "#/$defs/x"}]}}, "$defs": {"x": {"const": 1}}}
    assert fit(schema, Quirks()) is schema


def test_keywords_are_dropped_and_names_are_not():
    properties = {"default": {"type": "string", "default": "default"}, "const": {"const": "x"}, "list": {"items": {"default": 1}}}
    assert fitted(properties, drop=["default", "const"], default={"default": 1}) == {
        "type": "object",
        "properties": {"default": {"type": "string"}, "const": {"enum": ["x"]}, "list": {"items": {}}},
    }


FIXES = [
    ("any_of_types", {"type": "string", "anyOf": [{"minLength": 1}, True]}, {"anyOf": [{"type": "string", "minLength": 1}, True]}),
    ("any_of_types", {"anyOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}),
    ("tuples", {"type": "array", "items": [{"type": "string"}]}, {"type": "array", "prefixItems": [{"type": "string"}]}),
    ("tuples", {"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "string"}}),
    ("single_types", {"type": ["string", "null"], "title": "t"}, {"type": "string", "title": "t", "nullable": True}),
    ("single_types", {"type": ["string", "number"]}, {"anyOf": [{"type": "string"}, {"type": "number"}]}),
    ("string_enums", {"type": "integer", "enum": [1, 2]}, {"type": "integer"}),
    ("string_enums", {"enum": ["a"]}, {"enum": ["a"]}),
]


@pytest.mark.parametrize(("name", "given", "sent"), FIXES)
def test_forms_are_put_another_way_wherever_they_stand(name: str, given: Any, sent: Any):
    assert fitted({"a": given}, [name]) == {"type": "object", "properties": {"a": sent}}
    assert fitted({"a": {"items": {"anyOf": [given]}}}, [name])["properties"]["a"] == {"items": {"anyOf": [sent]}}
    assert fitted({"a": {"enum": [given]}}, ["tuples"])["properties"]["a"] == {"enum": [given]}


def test_references_are_put_in_place():
    definitions = {"x": {"type": "string"}, "node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}}
    properties = {"a": {"$ref": "#/$defs/x", "title": "t"}, "b": {"$ref": "#/$defs/node"}, "c": {"$ref": "#/elsewhere"}}
    assert fit({"type": "object", "properties": properties, "$defs": definitions}, Quirks(schema_fix=["inline_refs"])) == {
        "type": "object",
        "properties": {
            "a": {"type": "string", "title": "t"},
            "b": {"type": "object", "properties": {"next": {"type": "object"}}},
            "c": {"type": "object"},
        },
    }


def test_alternatives_at_the_root_become_properties():
    branches = [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": {}}}]
    assert fitted({"c": {}}, ["flat_root"], oneOf=branches, anyOf=None) == {
        "type": "object",
        "properties": {"b": {}, "a": {"type": "string"}, "c": {}},
    }
    assert fitted({"c": {"anyOf": [{}]}}, ["flat_root"])["properties"] == {"c": {"anyOf": [{}]}}
