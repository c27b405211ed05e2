"""What a model wrote for a call, as the call's own value: JSON arguments, or the raw text of a freeform tool. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from ...contract.tools import Tool, ToolTable


class Named(NamedTuple):
    """A call as it stands in a text. `given` is a JSON value, or with `texts` an object of parameters that are all texts yet."""

    name: str
    given: Any
    texts: bool = False


class Called(NamedTuple):
    """A call of an offered tool. `value` is the text of a JSON object, or the raw text for a freeform tool."""

    tool: Tool
    value: str


class Offered:
    """The tools of one request. `mend` is what becomes of a value that a model wrote, such as a patch."""

    def __init__(self, tools: ToolTable, mend: Callable[[Tool, str], str]) -> None:
        self._tools = tools
        self._mend = mend

    def has(self, name: str) -> bool:
        return self._tools.resolve(name).spec is not None

    def find(self, named: Named, *, exactly: bool) -> Called | None:
        """Which call is meant, None where it is none of an offered tool; `exactly`: only where it fits the tool's schema."""
        tool = self._tools.resolve(named.name)
        if tool.spec is None:
            return None
        value = _raw_text(named.given) if tool.kind == "custom_tool_call" else _arguments(tool, named)
        if value is None or (exactly and not _fits(tool, named.given)):
            return None
        return Called(tool, self._mend(tool, value))


def decoded(text: str) -> Any:
    """A JSON value. Line feeds in its texts need not be escaped, which is what models get wrong most. Raises `ValueError`."""
    try:
        value = json.loads(text, strict=False, parse_constant=_no_number)
        text_of(value).encode()  # half a character cannot be sent on
    except RecursionError:
        raise ValueError("too deep") from None
    return value


def text_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _raw_text(given: Any) -> str | None:
    """A freeform tool has one text, under whatever name."""
    if isinstance(given, dict) and len(given) == 1:
        [given] = given.values()
    return given if isinstance(given, str) else None


def _arguments(tool: Tool, named: Named) -> str | None:
    given = named.given
    try:
        if isinstance(given, str):
            given = decoded(given) if given.strip() else {}
        if named.texts:
            types = _schema(tool).get("properties")
            given = {name: _typed(text, types.get(name) if isinstance(types, dict) else None) for name, text in given.items()}
    except ValueError:
        return None
    return text_of(given) if isinstance(given, dict) else None


def _typed(text: str, schema: Any) -> Any:
    """Raises `ValueError` where the text is nothing that the schema has. A parameter that nobody described is a text."""
    types = _types(schema)
    if not types or "string" in types:
        return None if "null" in types and text.strip() == "null" else text
    word = text.strip()
    value = {"True": True, "False": False, "None": None}.get(word, ...)
    return decoded(word) if value is ... else value


def _types(schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    own = schema.get("type")
    found = {own} if isinstance(own, str) else {each for each in own if isinstance(each, str)} if isinstance(own, list) else set()
    for word in ("anyOf", "oneOf"):
        choices = schema.get(word)
        found |= {type for choice in choices for type in _types(choice)} if isinstance(choices, list) else set()
    return found


def _fits(tool: Tool, given: Any) -> bool:
    """Nothing that is required is missing, and there is nothing that the tool does not have."""
    if tool.kind == "custom_tool_call":
        return True
    schema = _schema(tool)
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(given, dict) or not isinstance(properties, dict):
        return isinstance(given, dict)
    needed = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    return set(given) <= set(properties) and set(needed) <= set(given)


def _schema(tool: Tool) -> dict[str, Any]:
    schema = (tool.spec or {}).get("parameters")
    return schema if isinstance(schema, dict) else {}
