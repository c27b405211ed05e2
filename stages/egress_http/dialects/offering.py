"""A tool in words and with its schema, before a language puts it in its own form."""

from __future__ import annotations

from typing import Any

from ...contract.tools import Tool
from . import freeform, schema


def description(tool: Tool) -> str:
    """What the model reads about a tool; a freeform one brings its grammar along."""
    spec = tool.spec or {}
    own = freeform.describe(spec) if tool.kind == "custom_tool_call" else spec.get("description")
    return "\n\n".join(text for text in (tool.preface, own) if isinstance(text, str) and text)


def parameters(tool: Tool) -> dict[str, Any]:
    if tool.kind == "custom_tool_call":
        return freeform.PARAMETERS
    return schema.parameters((tool.spec or {}).get("parameters"))
