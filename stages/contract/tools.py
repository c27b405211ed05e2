"""Tool names, there and back.

Responses has kinds of tools (function, custom, tool_search) and namespaces; the other languages have one flat list of functions.
`ToolTable` gives each tool a flat name and finds the tool again by the name a model used. It is rebuilt on every request from
`tools`, the `additional_tools` and `tool_search_output` items, and the calls in the history, so nothing has to be remembered.

The rule: a flat name follows from namespace and name alone, except where two tools would share it. Then the later one gets a hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from .notes import Notes

Kind = Literal["function_call", "custom_tool_call", "tool_search_call"]

# What OpenAI takes; every other provider of this shape takes at least as much.
NAME_LIMIT = 64

_DEFAULT_NAMESPACE = "functions"
_KINDS: dict[str, Kind] = {"function": "function_call", "custom": "custom_tool_call", "tool_search": "tool_search_call"}
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool. `spec` is its declaration, None where only the history knows it; `preface` is what its namespace says of itself."""

    flat: str
    kind: Kind
    name: str
    namespace: str | None = None
    spec: dict[str, Any] | None = None
    preface: str | None = None


class ToolTable:
    """The tools of one request."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str | None, str], Tool] = {}
        self._by_flat: dict[str, Tool] = {}
        self._aliases: dict[str, Tool | None] | None = None

    @property
    def offered(self) -> list[Tool]:
        """Those the model may call, in the order they were declared."""
        return [tool for tool in self._by_key.values() if tool.spec is not None]

    @property
    def known(self) -> list[Tool]:
        """All of them, those included that only the history knows."""
        return list(self._by_key.values())

    def declare(self, specs: Iterable[Any], notes: Notes) -> None:
        """Take up declarations. What cannot be offered is named in `notes`; a tool declared twice is the first of the two."""
        for spec in specs:
            if isinstance(spec, dict) and spec.get("type") == "namespace":
                self._declare_namespace(spec, notes)
            else:
                self._declare_one(spec, None, None, notes)

    def flat_name(self, kind: Kind, name: str, namespace: str | None = None) -> str:
        """The name a call in the history goes by. A tool that is no longer declared becomes known by it, but is not offered."""
        namespace = _usual(namespace)
        known = self._by_key.get((namespace, name))
        return (known or self._add(kind, name, namespace)).flat

    def find(self, namespace: str | None, name: str) -> Tool | None:
        return self._by_key.get((_usual(namespace), name))

    def resolve(self, called: str) -> Tool:
        """The tool a model means. A name nobody declared stays what it is: Codex tells the model that there is no such tool."""
        tool = self._by_flat.get(called) or self._alias(called)
        return tool or Tool(flat=called, kind="function_call", name=called)

    def _declare_namespace(self, spec: dict[str, Any], notes: Notes) -> None:
        name, members = spec.get("name"), spec.get("tools")
        if not isinstance(name, str) or not isinstance(members, list):
            notes.add("a namespace without a name or tools was not offered")
            return
        preface = spec.get("description")
        for member in members:
            added = self._declare_one(member, name, preface if isinstance(preface, str) else None, notes)
            preface = None if added else preface

    def _declare_one(self, spec: Any, namespace: str | None, preface: str | None, notes: Notes) -> bool:
        type = spec.get("type") if isinstance(spec, dict) else None
        kind = _KINDS.get(type) if isinstance(type, str) else None
        if not isinstance(type, str):
            notes.add("a tool without a type was not offered")
            return False
        if kind is None or (kind == "tool_search_call" and spec.get("execution") == "server"):
            notes.add(f"{type} is a hosted tool this upstream cannot run; it was not offered")
            return False
        name = spec.get("name") or ("tool_search" if kind == "tool_search_call" else None)
        if not isinstance(name, str):
            notes.add(f"a {type} tool without a name was not offered")
            return False
        return self._add_declared(kind, name, _usual(namespace), spec, preface)

    def _add_declared(self, kind: Kind, name: str, namespace: str | None, spec: dict[str, Any], preface: str | None) -> bool:
        known = self._by_key.get((namespace, name))
        if known is None or known.spec is None:
            self._add(kind, name, namespace, spec=spec, preface=preface)
            return True
        return False

    def _add(self, kind: Kind, name: str, namespace: str | None, **declared: Any) -> Tool:
        flat = _flatten(name, namespace)
        if flat in self._by_flat or len(flat) > NAME_LIMIT:
            flat = _with_hash(flat, name, namespace)
        tool = Tool(flat=flat, kind=kind, name=name, namespace=namespace, **declared)
        self._by_key[namespace, name] = self._by_flat[flat] = tool
        self._aliases = None
        return tool

    def _alias(self, called: str) -> Tool | None:
        if self._aliases is None:
            self._aliases = _aliases(self._by_key.values())
        return self._aliases.get(called) or self._aliases.get(called.lower())


def _usual(namespace: str | None) -> str | None:
    """`functions` is the namespace of tools that have none."""
    return namespace if namespace and namespace != _DEFAULT_NAMESPACE else None


def _flatten(name: str, namespace: str | None) -> str:
    return _FORBIDDEN.sub("_", f"{namespace}__{name}" if namespace else name)


def _with_hash(flat: str, name: str, namespace: str | None) -> str:
    digest = hashlib.sha256(f"{namespace or ''}\0{name}".encode()).hexdigest()[:8]
    return f"{flat[: NAME_LIMIT - 9]}_{digest}"


def _aliases(tools: Iterable[Tool]) -> dict[str, Tool | None]:
    """Other spellings models use. One that could mean two tools means none."""
    aliases: dict[str, Tool | None] = {}
    for tool in tools:
        space = tool.namespace or _DEFAULT_NAMESPACE
        for spelling in {tool.name, f"{space}.{tool.name}", f"{space}/{tool.name}", f"{_DEFAULT_NAMESPACE}.{tool.flat}", tool.flat}:
            for alias in {spelling, spelling.lower()}:
                aliases[alias] = tool if aliases.get(alias, tool) is tool else None
    return aliases
