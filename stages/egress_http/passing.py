"""Headers that cross this stage: the client sees what it can use of an upstream's answer, the upstream what it asked to get back.
All else stays on its side.
"""

from __future__ import annotations

from collections.abc import Mapping

UPSTREAM_REQUEST_ID = "x-upstream-request-id"

# How Codex's own service pins the requests of a turn to one machine: it sets the header, the client repeats it.
_TURN_STATE = "x-codex-turn-state"
_RETURNED = ("x-codex-", "x-ratelimit-", "anthropic-ratelimit-")
_RETURNED_NAMES = frozenset({"retry-after", "x-models-etag", "x-reasoning-included", "openai-processing-ms"})
_REQUEST_IDS = ("x-request-id", "request-id")


def to_client(headers: Mapping[str, str]) -> dict[str, str]:
    """What of an upstream's answer is handed back. Its request id gets another name: ours is the one of the whole chain."""
    named = {name.lower(): value for name, value in headers.items()}
    kept = {name: value for name, value in named.items() if name.startswith(_RETURNED) or name in _RETURNED_NAMES}
    given = next((named[name] for name in _REQUEST_IDS if name in named), None)
    return kept | ({UPSTREAM_REQUEST_ID: given} if given else {})


def to_upstream(headers: Mapping[str, str], dialect: str) -> dict[str, str]:
    """What of a client's request goes to the provider: nothing but what a Responses service itself has set."""
    state = headers.get(_TURN_STATE) if dialect == "responses" else None
    return {_TURN_STATE: state} if state else {}
