"""The texts in a request or an answer, wherever they stand. Names are none: a provider, a tool or Codex knows what they mean."""

from __future__ import annotations

from typing import Any, Protocol

from ...contract import summary

# Fields whose text is JSON itself.
_JSON = "arguments"
_NAMES = frozenset(
    {"type", "role", "id", "item_id", "response_id", "call_id", "name", "namespace", "status", "model", "object"}
    | {"encrypted_content", "image_url", "file_data", "audio", "obfuscation"}
)


class Alter(Protocol):
    def __call__(self, text: str, *, in_json: bool) -> str: ...


def altered(value: Any, alter: Alter, *, in_json: bool = False) -> Any:
    """`value` with every text altered, however deep; the very same object where none is another one now. Summaries of conversations
    are texts too, though they travel in an envelope."""
    if isinstance(value, str):
        return alter(value, in_json=in_json)
    if isinstance(value, list):
        new = [altered(each, alter) for each in value]
        return value if all(one is other for one, other in zip(new, value, strict=True)) else new
    if not isinstance(value, dict):
        return value
    if (text := summary.text_of(value)) is not None:
        return _resealed(value, text, alter(text, in_json=False))
    fields = {name: _field(name, each, alter) for name, each in value.items()}
    return value if all(fields[name] is each for name, each in value.items()) else fields


def _field(name: str, value: Any, alter: Alter) -> Any:
    return value if name in _NAMES and isinstance(value, str) else altered(value, alter, in_json=name == _JSON)


def _resealed(item: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    return item if before == after else {**item, "encrypted_content": summary.item(after, "")["encrypted_content"]}
