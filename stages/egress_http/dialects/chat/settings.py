"""The settings of a request: Responses → chat, with the names and values that the server at hand knows.

Settings that only OpenAI's own service has (`service_tier`, `verbosity`, `prompt_cache_key`) are sent where quirks say so; `store`,
`include`, `client_metadata` and whatever is not named here never are: strict servers refuse fields they do not know.
"""

from __future__ import annotations

from typing import Any

from ....contract.asked import limit, setting
from ....contract.notes import Notes
from ...config import Quirks
from ..base import Target
from ..parts import as_json

Payload = dict[str, Any]


def settings(body: Payload, items: list[Any], target: Target, has_tools: bool, notes: Notes) -> tuple[Payload, str]:
    """The fields, and what has to be said in words because there is no field for it."""
    quirks, text = target.quirks, setting(body, items, "text")
    format, words = _format(text.get("format"), quirks, has_tools)
    fields = {
        **_effort(setting(body, items, "reasoning").get("effort"), quirks),
        "response_format": format,
        "temperature": body.get("temperature") if quirks.sampling else None,
        "top_p": body.get("top_p") if quirks.sampling else None,
        quirks.max_tokens_field: limit(body.get("max_output_tokens"), target.max_output_tokens),
        "verbosity": text.get("verbosity") if quirks.verbosity else None,
        "service_tier": body.get("service_tier") if quirks.service_tier else None,
        "prompt_cache_key": _key(body) if quirks.prompt_cache_key else None,
    }
    _note_unsent(body, text, quirks, notes)
    _note_effort(setting(body, items, "reasoning").get("effort"), quirks, notes)
    return {**{name: value for name, value in fields.items() if value is not None}, **_extra(fields, quirks)}, words


def headers(body: Payload, quirks: Quirks) -> dict[str, str]:
    """Where a server finds the cache of a conversation by a header."""
    key = _key(body)
    return {quirks.session_header: key} if quirks.session_header and key else {}


def _extra(fields: Payload, quirks: Quirks) -> Payload:
    """`extra_body`, laid over fields that are objects themselves."""
    return {
        name: {**fields[name], **value} if isinstance(value, dict) and isinstance(fields.get(name), dict) else value
        for name, value in quirks.extra_body.items()
    }


def _note_unsent(body: Payload, text: Payload, quirks: Quirks, notes: Notes) -> None:
    """Settings that would change the answer, or its price, and have no counterpart."""
    if text.get("verbosity") is not None and not quirks.verbosity:
        notes.add("the verbosity was not sent: this upstream has no such setting")
    if body.get("service_tier") not in (None, "auto", "default") and not quirks.service_tier:
        notes.add("the service tier was not sent: this upstream has no such setting")
    if not quirks.sampling and not (body.get("temperature") is None and body.get("top_p") is None):
        notes.add("`temperature` and `top_p` were not sent: models of this upstream refuse them")


def _note_effort(asked: Any, quirks: Quirks, notes: Notes) -> None:
    """Where there is a switch, an effort still says whether to think."""
    if isinstance(asked, str) and asked and quirks.effort == "drop" and quirks.thinking == "drop":
        notes.add("the reasoning effort was not sent: this upstream has no such setting")


def _key(body: Payload) -> str | None:
    """Not every server takes more than ASCII, and a header takes no more than a line of it."""
    key = body.get("prompt_cache_key")
    return key if isinstance(key, str) and key.isascii() and key.isprintable() else None


def _effort(asked: Any, quirks: Quirks) -> Payload:
    """How hard to think, and whether at all. What was not asked for is left to the provider."""
    if not isinstance(asked, str) or not asked:
        return {}
    word = quirks.efforts.get(asked, asked)
    on = asked != "none"
    fields: Payload = {}
    if word and (on or quirks.thinking == "drop"):
        fields |= {"reasoning_effort": word} if quirks.effort == "reasoning_effort" else {}
        fields |= {"reasoning": {"effort": word}} if quirks.effort == "reasoning" else {}
    if quirks.thinking == "thinking":
        fields["thinking"] = {"type": "enabled", **quirks.thinking_fields} if on else {"type": "disabled"}
    elif quirks.thinking == "enable_thinking":
        fields |= {"enable_thinking": on, **(quirks.thinking_fields if on else {})}
    return fields


def _format(format: Any, quirks: Quirks, has_tools: bool) -> tuple[Payload | None, str]:
    """`text.format`. A schema that a server has no field for is said in words."""
    if not isinstance(format, dict) or format.get("type") not in ("json_schema", "json_object"):
        return None, ""
    in_words = quirks.json_schema == "text" or (has_tools and not quirks.json_with_tools)
    if format["type"] == "json_object":
        return (None, "Answer with one JSON object and nothing else.") if in_words else ({"type": "json_object"}, "")
    words = f"Answer with one JSON object and nothing else. It must match this JSON Schema:\n{as_json(format.get('schema'))}"
    if in_words:
        return None, words
    if quirks.json_schema == "json_object":
        return {"type": "json_object"}, words
    named = {key: format[key] for key in ("name", "description", "schema", "strict") if format.get(key) is not None}
    return {"type": "json_schema", "json_schema": named}, ""
