"""The part of JSON Schema that a picky server takes: keywords it refuses are dropped, forms it refuses are put another way.

What a schema then no longer says, Codex still checks when it gets the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...config import Quirks

Schema = dict[str, Any]

_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_DATA = ("enum", "const", "default", "examples", "required")
_BRANCHES = ("anyOf", "oneOf", "allOf")


def fit(parameters: Schema, quirks: Quirks) -> Schema:
    """A tool's parameters, whose root is and stays an object with properties."""
    schema = parameters
    if "inline_refs" in quirks.schema_fix:
        schema = _inline(schema, _definitions(schema), ())
    for name, fix in _FIXES.items():
        if name in quirks.schema_fix:
            schema = _everywhere(schema, fix)
    if "flat_root" in quirks.schema_fix:
        schema = _flat_root(schema)
    return _everywhere(schema, lambda each: _without(each, quirks.schema_drop)) if quirks.schema_drop else schema


def _everywhere(value: Any, fix: Callable[[Schema], Schema]) -> Any:
    """`fix` for each schema inside, the innermost first."""
    if isinstance(value, list):
        return [_everywhere(entry, fix) for entry in value]
    return (
        fix({key: _below(key, entry, lambda inner: _everywhere(inner, fix)) for key, entry in value.items()})
        if _is(value)
        else value
    )


def _below(key: str, value: Any, go: Callable[[Any], Any]) -> Any:
    """A name of the user's choosing is never taken for a keyword, nor data for a schema."""
    if key in _DATA:
        return value
    if key in _NAMED and _is(value):
        return {name: go(entry) for name, entry in value.items()}
    return go(value)


def _is(value: Any) -> bool:
    return isinstance(value, dict)


def _without(schema: Schema, keywords: list[str]) -> Schema:
    kept = {key: value for key, value in schema.items() if key not in keywords}
    if "const" in keywords and isinstance(schema.get("const"), str):
        kept["enum"] = [schema["const"]]
    return kept


def _any_of_types(schema: Schema) -> Schema:
    """A `type` beside `anyOf` belongs into the branches."""
    if "type" not in schema or not isinstance(schema.get("anyOf"), list):
        return schema
    branches = [{"type": schema["type"], **branch} if _is(branch) else branch for branch in schema["anyOf"]]
    return {**{key: value for key, value in schema.items() if key != "type"}, "anyOf": branches}


def _tuples(schema: Schema) -> Schema:
    if not isinstance(schema.get("items"), list):
        return schema
    return {"prefixItems" if key == "items" else key: value for key, value in schema.items()}


def _single_types(schema: Schema) -> Schema:
    """`["string", "null"]` → a string that may be null; several types → `anyOf`."""
    types = schema.get("type")
    if not isinstance(types, list):
        return schema
    rest = {key: value for key, value in schema.items() if key != "type"}
    known = [type for type in types if type != "null"]
    typed = {"type": known[0]} if len(known) == 1 else {"anyOf": [{"type": type} for type in known]}
    return {**typed, **rest, **({"nullable": True} if "null" in types else {})}


def _string_enums(schema: Schema) -> Schema:
    values = schema.get("enum")
    if not isinstance(values, list) or all(isinstance(value, str) for value in values):
        return schema
    return {key: value for key, value in schema.items() if key != "enum"}


_FIXES: dict[str, Callable[[Schema], Schema]] = {
    "any_of_types": _any_of_types,
    "tuples": _tuples,
    "single_types": _single_types,
    "string_enums": _string_enums,
}


def _flat_root(schema: Schema) -> Schema:
    """Alternatives at the root: what any of them has, none of it required."""
    properties = dict(schema["properties"])
    for branch in (branch for key in _BRANCHES for branch in schema.get(key) or () if _is(branch)):
        properties = {**(branch.get("properties") or {}), **properties}
    return {**{key: value for key, value in schema.items() if key not in _BRANCHES}, "properties": properties}


def _definitions(schema: Schema) -> dict[str, Any]:
    return {f"#/{key}/{name}": entry for key in ("$defs", "definitions") for name, entry in (schema.get(key) or {}).items()}


def _inline(value: Any, definitions: dict[str, Any], inside: tuple[str, ...]) -> Any:
    """References replaced by what they mean; one that leads into itself by any object."""
    if isinstance(value, list):
        return [_inline(entry, definitions, inside) for entry in value]
    if not _is(value):
        return value
    rest = {key: entry for key, entry in value.items() if key not in ("$ref", "$defs", "definitions")}
    schema = {key: _below(key, entry, lambda inner: _inline(inner, definitions, inside)) for key, entry in rest.items()}
    reference = value.get("$ref")
    if not isinstance(reference, str):
        return schema
    if reference in inside or not _is(definitions.get(reference)):
        return {"type": "object", **schema}
    return {**_inline(definitions[reference], definitions, (*inside, reference)), **schema}
