"""JSON Schemas of tools, as upstreams take them."""

from __future__ import annotations

from typing import Any

# Where a schema holds schemas by names of the user's choosing; a name is never mistaken for a keyword there.
_NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_DATA = frozenset({"enum", "const", "default", "examples"})


def parameters(schema: Any) -> dict[str, Any]:
    """The schema of a tool's arguments: every upstream wants an object with properties at the root."""
    cleaned = _clean(schema) if isinstance(schema, dict) else {}
    if cleaned.get("type") != "object":
        cleaned = {**cleaned, "type": "object"}
    return cleaned if isinstance(cleaned.get("properties"), dict) else {**cleaned, "properties": {}}


def _clean(schema: Any) -> Any:
    """A copy without `encrypted`, a keyword of Codex's own that stricter upstreams refuse."""
    if isinstance(schema, list):
        return [_clean(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _clean_value(key, value) for key, value in schema.items() if not (key == "encrypted" and isinstance(value, bool))}


def _clean_value(key: str, value: Any) -> Any:
    if key in _DATA:
        return value
    if key in _NAMED_SCHEMAS and isinstance(value, dict):
        return {name: _clean(entry) for name, entry in value.items()}
    return _clean(value)
