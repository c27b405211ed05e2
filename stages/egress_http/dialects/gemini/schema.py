"""JSON Schema → the subset that Gemini reads for the parameters of a function.

It knows no references, no lists of types, no constants, and one way to say "either". What it would refuse is said otherwise where
there is another way, and left out where there is none: the description stays, and so the model still reads it.
"""

from __future__ import annotations

from typing import Any

_KEPT = (
    "title",
    "description",
    "pattern",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "propertyOrdering",
)
_FORMATS = {"string": ("enum", "date-time"), "number": ("float", "double"), "integer": ("int32", "int64")}
_DEPTH = 24  # the API refuses deeper ones
_ANYTHING = {"type": "object"}

Schema = dict[str, Any]


def convert(schema: Schema) -> Schema:
    """The root of a function's parameters."""
    definitions = {
        f"#/{key}/{name}": each
        for key in ("$defs", "definitions")
        for name, each in (schema.get(key) or {}).items()
        if isinstance(each, dict)
    }
    return _Converter(definitions).convert(schema, 0)


class _Converter:
    """`open` are the references around the place we are at: a schema that refers to itself ends where it would begin again."""

    def __init__(self, definitions: dict[str, Schema]) -> None:
        self._definitions = definitions
        self._open: list[str] = []

    def convert(self, schema: Any, depth: int) -> Schema:
        if not isinstance(schema, dict) or depth > _DEPTH:
            return dict(_ANYTHING)
        before = len(self._open)
        converted = self._converted(self._resolved(schema), depth)
        del self._open[before:]
        return converted

    def _converted(self, schema: Schema, depth: int) -> Schema:
        kinds, nullable = _types(schema)
        branches = [branch for key in ("anyOf", "oneOf") for branch in _dicts(schema.get(key))]
        real = [branch for branch in branches if branch.get("type") != "null"]
        nullable = nullable or len(real) < len(branches)
        if not branches and len(kinds) > 1:
            real = [{**schema, "type": kind} for kind in kinds]
            schema = {key: schema[key] for key in ("description",) if key in schema}
        if len(real) == 1:
            converted = self.convert({**real[0], **_said(schema)}, depth)
        elif real:
            converted = {**_said(schema), "anyOf": [self.convert(branch, depth + 1) for branch in real]}
        else:
            converted = self._plain(schema, kinds[0] if kinds else None, depth)
        return {**converted, "nullable": True} if nullable else converted

    def _resolved(self, schema: Schema) -> Schema:
        """Without a reference, and with what `allOf` demands in one place."""
        while "$ref" in schema:
            name = str(schema["$ref"])
            target = _ANYTHING if name in self._open else self._definitions.get(name, _ANYTHING)
            self._open.append(name)
            schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
        for branch in _dicts(schema.get("allOf")):
            schema = _merged(self._resolved(branch), schema)
        return {key: value for key, value in schema.items() if key != "allOf"}

    def _plain(self, schema: Schema, kind: str | None, depth: int) -> Schema:
        kind = kind or _guessed(schema)
        made: Schema = {"type": kind, **{key: schema[key] for key in _KEPT if key in schema}}
        if schema.get("format") in _FORMATS.get(kind, ()):
            made["format"] = schema["format"]
        if values := _values(schema):
            _allow(made, values, kind)
        if kind == "array":
            made["items"] = self.convert(_items(schema), depth + 1)
        properties = schema.get("properties")
        if kind == "object" and isinstance(properties, dict) and properties:
            made["properties"] = {name: self.convert(each, depth + 1) for name, each in properties.items()}
            required = [name for name in schema.get("required") or [] if name in properties]
            made |= {"required": required} if required else {}
        return made


def _types(schema: Schema) -> tuple[list[str], bool]:
    types = schema.get("type")
    listed = types if isinstance(types, list) else [types]
    kinds = [kind for kind in listed if isinstance(kind, str) and kind != "null"]
    return kinds, "null" in listed or schema.get("nullable") is True


def _guessed(schema: Schema) -> str:
    if "properties" in schema:
        return "object"
    if "items" in schema:
        return "array"
    values = _values(schema)
    return "string" if not values or isinstance(values[0], str) else _named(values[0])


def _named(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "number" if isinstance(value, float) else "string"


def _values(schema: Schema) -> list[Any]:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return [value for value in values if value is not None] if isinstance(values, list) else []


def _allow(made: Schema, values: list[Any], kind: str) -> None:
    """Only strings can be listed; other values are told in words."""
    if kind == "string":
        made["enum"] = [str(value) for value in values]
    else:
        made["description"] = " ".join(filter(None, [made.get("description"), f"One of: {', '.join(map(str, values))}."]))


def _items(schema: Schema) -> Any:
    """An array has to say of what; a tuple is an array of any of its parts."""
    items = schema.get("items", schema.get("prefixItems"))
    if isinstance(items, list):
        return {"anyOf": items} if items else {"type": "string"}
    return items if isinstance(items, dict) and items else {"type": "string"}


def _said(schema: Schema) -> Schema:
    """What may stand beside alternatives."""
    return {"description": schema["description"]} if isinstance(schema.get("description"), str) else {}


def _merged(base: Schema, over: Schema) -> Schema:
    properties = {**(base.get("properties") or {}), **(over.get("properties") or {})}
    required = list(dict.fromkeys([*(base.get("required") or []), *(over.get("required") or [])]))
    merged = {**base, **over}
    merged |= {"properties": properties} if properties else {}
    return merged | ({"required": required} if required else {})


def _dicts(values: Any) -> list[Schema]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
