"""What is left of a request so that it can be compared with what a stage made of it: hashes, keyed with a secret of the run. Pure.

No word of the request can be told from it. It is bounded: of very long requests some things are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import msgspec

from .stream import replacements

# fmt: off
# Fields of a request that have a meaning which a stage may exist to change. All others are nobody's to drop.
KNOWN_FIELDS = frozenset((
    "model", "stream", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text", "store",
    "include", "metadata", "temperature", "top_p", "max_output_tokens", "max_tool_calls", "previous_response_id",
    "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier", "stream_options", "truncation",
    "user", "background", "conversation", "prompt", "top_logprobs",
))
KNOWN_ITEMS = frozenset((
    "message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output", "reasoning",
    "item_reference", "compaction", "compaction_summary", "compaction_trigger", "local_shell_call",
    "local_shell_call_output", "web_search_call", "tool_search_call", "tool_search_output", "additional_tools",
    "configuration_update", "image_generation_call",
))
# fmt: on
MOST_FIELDS, MOST_ITEMS, MOST_IDS, MOST_SHAPES = 40, 40, 300, 100
_LONGEST_NAME = 40


class RequestDigest(msgspec.Struct, kw_only=True):
    """`fields` and `items` are hashes of what no contract knows: of top-level fields by name, and of input items. `ids` are those
    of items and calls, None where there are too many. `shapes` has for each set of keys that objects have the orders they stand
    in, and the path of one such object. `replaced` counts U+FFFD."""

    fields: dict[str, str] = {}
    items: list[str] = []
    ids: list[str] | None = []
    shapes: dict[str, tuple[str, list[str]]] = {}
    replaced: int = 0


class Hasher:
    """Short keyed hashes: equal within one run, and of no use to anybody else."""

    def __init__(self, key: str) -> None:
        self._key = blake2b(key.encode(), digest_size=32).digest()

    def text(self, value: str) -> str:
        return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=4, key=self._key).hexdigest()

    def value(self, value: Any) -> str:
        """Two objects with the same keys in another order are the same."""
        return blake2b(msgspec.json.encode(value, order="sorted"), digest_size=4, key=self._key).hexdigest()


def digest(fields: dict[str, Any], body: bytes, hasher: Hasher) -> RequestDigest:
    """Of a body that is decoded already."""
    unknown = [name for name in fields if name not in KNOWN_FIELDS][:MOST_FIELDS]
    items = fields.get("input")
    listed = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    odd = [item for item in listed if isinstance(item.get("type"), str) and item["type"] not in KNOWN_ITEMS]
    ids = [id for item in listed for name in ("id", "call_id") if isinstance(id := item.get(name), str)]
    return RequestDigest(
        fields={name[:_LONGEST_NAME]: hasher.value(fields[name]) for name in unknown},
        items=[hasher.value(item) for item in odd[:MOST_ITEMS]],
        ids=list(dict.fromkeys(hasher.text(id) for id in ids)) if len(ids) <= MOST_IDS else None,
        shapes=_shapes(fields, hasher),
        replaced=replacements(body),
    )


def _shapes(value: Any, hasher: Hasher) -> dict[str, tuple[str, list[str]]]:
    found: dict[str, tuple[str, list[str]]] = {}
    seen: set[tuple[str, ...]] = set()
    for path, keys in _objects(value, ""):
        if len(keys) < 2 or keys in seen:
            continue
        seen.add(keys)
        same_keys = hasher.text("\0".join(sorted(keys)))
        if same_keys not in found and len(found) >= MOST_SHAPES:
            return found
        orders = found.setdefault(same_keys, (path[:_LONGEST_NAME] or "the body", []))[1]
        if len(orders) < 4:
            orders.append(hasher.text("\0".join(keys)))
    return found


def _objects(value: Any, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each object with its path, without going deeper into Python's stack than the text is nested."""
    waiting = [(value, path)]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, dict):
            yield path, tuple(value)
            waiting += [(each, f"{path}.{name}" if path else name) for name, each in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(each, f"{path}[{place}]") for place, each in reversed([*enumerate(value)])]
