"""One request, held against the contract. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from ..headers import REQUEST_ID
from .violation import Violation

# A call and the item that answers it.
_CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
_OUTPUTS = {output: call for call, output in _CALLS.items()}
# What refers to items that are kept elsewhere: then a call need not be in the request.
_ELSEWHERE = ("previous_response_id", "conversation", "prompt")


def judge(headers: Mapping[str, str], body: bytes) -> tuple[list[Violation], dict[str, Any]]:
    """What is wrong with a request that is to create or compact a response; and its fields, none where it cannot be read."""
    found = [] if headers.get(REQUEST_ID) else [_nameless()]
    fields = _object(body)
    if isinstance(fields, Violation):
        return [*found, fields], {}
    return [*found, *_fields(fields)], fields


def _fields(fields: dict[str, Any]) -> list[Violation]:
    found = []
    if not isinstance(fields.get("model"), str) or not fields["model"]:
        found.append(Violation("model", "model", "`model` is missing or no text, so nobody can tell where this goes"))
    if not isinstance(fields.get("stream"), bool | None):
        found.append(Violation("stream", "stream", "`stream` is neither true nor false"))
    return [*found, *_input(fields), *_tools(fields.get("tools"))]


def _object(body: bytes) -> dict[str, Any] | Violation:
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _unreadable(body)
    return fields if isinstance(fields, dict) else Violation("json", "body", "the body is JSON, but no object")


def _unreadable(body: bytes) -> Violation:
    try:
        json.loads(body.decode())
    except UnicodeDecodeError:
        return Violation("utf-8", "body", "the body is not UTF-8")
    except (ValueError, RecursionError):
        return Violation("json", "body", "the body is not valid JSON")
    return Violation("utf-8", "body", "the body holds half a character: a surrogate without the other one")


def _nameless() -> Violation:
    sentence = f"the request has no `{REQUEST_ID}`, by which its way through the chain is told"
    return Violation("request-id", REQUEST_ID, sentence)


def _input(fields: dict[str, Any]) -> list[Violation]:
    items = fields.get("input")
    if items is None or isinstance(items, str):
        return []
    if not isinstance(items, list):
        return [Violation("input", "input", "`input` is neither a text nor a list of items")]
    odd = next((place for place, item in enumerate(items) if not isinstance(item, dict)), None)
    if odd is not None:
        return [Violation("input", f"input[{odd}]", f"item {odd} of `input` is no object")]
    return _calls(items, complete=all(fields.get(name) is None for name in _ELSEWHERE))


def _calls(items: list[dict[str, Any]], *, complete: bool) -> list[Violation]:
    """Call ids are there, once for each call, and each output comes behind its call. The first of each kind is told."""
    found: dict[str, Violation] = {}
    open_calls: set[tuple[str, str]] = set()
    for place, item in enumerate(items):
        kind = item.get("type")
        call = kind if kind in _CALLS else _OUTPUTS.get(str(kind))
        if call is None:
            continue
        id, field = item.get("call_id"), f"input[{place}].call_id"
        if not isinstance(id, str) or not id:
            found.setdefault("call-id", Violation("call-id", field, f"the `{kind}` at place {place} of `input` has no `call_id`"))
        elif kind in _OUTPUTS and complete and (call, id) not in open_calls:
            sentence = f"the `{kind}` at place {place} of `input` answers a call that is not before it"
            found.setdefault("call-output", Violation("call-output", field, sentence))
        elif kind in _CALLS and (call, id) in open_calls:
            sentence = f"the `{kind}` at place {place} of `input` has the `call_id` of a call before it"
            found.setdefault("call-id", Violation("call-id", field, sentence))
        else:
            open_calls.add((call, id))
    return list(found.values())


def _tools(tools: Any) -> list[Violation]:
    if tools is None:
        return []
    if not isinstance(tools, list):
        return [Violation("tools", "tools", "`tools` is no list")]
    for place, tool in enumerate(tools):
        if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
            return [Violation("tools", f"tools[{place}]", f"tool {place} is no object with a `type`")]
    return []
