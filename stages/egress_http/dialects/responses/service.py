"""Who speaks how much of Responses. Data: OpenAI's own service knows all of it, the others know functions and little else."""

from __future__ import annotations

import msgspec

from ..base import Target

_OPENAI = ("openai.com", "chatgpt.com", "openai.azure.com", "services.ai.azure.com")

# The kinds of tools each host is known to take. Everybody takes functions.
_TOOLS = {"api.x.ai": frozenset({"function", "web_search", "x_search", "file_search", "code_interpreter", "mcp"})}
_PLAIN = frozenset({"function"})


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """`tools` is None for a service that knows every kind; `openai` one whose opaque state is OpenAI's."""

    openai: bool
    tools: frozenset[str] | None


def service_of(target: Target) -> Service:
    openai = any(target.host == host or target.host.endswith("." + host) for host in _OPENAI)
    tools = None if openai else _TOOLS.get(target.host, _PLAIN)
    if target.quirks.native_tools is not None:
        tools = frozenset(target.quirks.native_tools) | _PLAIN
    return Service(openai=openai, tools=tools)
