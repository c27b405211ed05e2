"""Headers that cross this stage: the client sees what it can use of an upstream's answer, the upstream what it asked to get back.
All else stays on its side. Only ChatGPT's own backend is told what Codex tells it anyway.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

UPSTREAM_REQUEST_ID = "x-upstream-request-id"

# How Codex's own service pins the requests of a turn to one machine: it sets the header, the client repeats it.
_TURN_STATE = "x-codex-turn-state"
_RETURNED = ("x-codex-", "x-ratelimit-", "anthropic-ratelimit-")
_RETURNED_NAMES = frozenset({"retry-after", "x-models-etag", "x-reasoning-included", "openai-processing-ms"})
_CODEXS = ("x-codex-", "x-openai-")
_CODEXS_NAMES = frozenset(
    {"session-id", "session_id", "thread-id", "conversation_id", "x-client-request-id"}
    | {"originator", "user-agent", "version", "openai-beta"}
)
_OURS = "x-codex-shim-"
# Limits of other families: `x-codex-other-primary-used-percent` and what goes with it, whatever stands in the middle.
_LIMIT = re.compile(r"x-.+-(primary|secondary)-(used-percent|window-minutes|reset-at)|x-.+-limit-name")
_REQUEST_IDS = ("x-request-id", "request-id")


def to_client(headers: Mapping[str, str]) -> dict[str, str]:
    """What of an upstream's answer is handed back. Its request id gets another name: ours is the one of the whole chain."""
    named = {name.lower(): value for name, value in headers.items()}
    kept = {name: value for name, value in named.items() if _is_returned(name)}
    given = next((named[name] for name in _REQUEST_IDS if name in named), None)
    return kept | ({UPSTREAM_REQUEST_ID: given} if given else {})


def to_upstream(headers: Mapping[str, str], dialect: str) -> dict[str, str]:
    """What of a client's request goes to the provider: nothing but what a Responses service itself has set."""
    state = headers.get(_TURN_STATE) if dialect == "responses" else None
    return {_TURN_STATE: state} if state else {}


def to_chatgpt(headers: Mapping[str, str]) -> dict[str, str]:
    """What of a request of Codex's goes to the backend that Codex was made for. Other clients are not passed off as Codex."""
    if not from_codex(headers):
        return to_upstream(headers, "responses")
    named = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in named.items() if _is_codexs(name)}


def from_codex(headers: Mapping[str, str]) -> bool:
    """Codex names its front end in `originator`; other clients do not send the header."""
    return "originator" in headers


def _is_codexs(name: str) -> bool:
    return name in _CODEXS_NAMES or (name.startswith(_CODEXS) and not name.startswith(_OURS))


def _is_returned(name: str) -> bool:
    return name.startswith(_RETURNED) or name in _RETURNED_NAMES or _LIMIT.fullmatch(name) is not None
