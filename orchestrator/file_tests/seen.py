"""What was seen of an exchange, as the values that expectations are about. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from codex_shim.stages.contract.events import TERMINAL
from codex_shim.stages.contract.sse import SSEDecoder

from .rehearsal import Seen

Models = Mapping[str, Mapping[str, str]]


class Missing(NamedTuple):
    """Instead of a value: why there is none."""

    why: str


def values(seen: Seen, models: Models) -> dict[str, Any]:
    """A value for each word that `of` may be. `models` is what each egress asks for (scenes.py)."""
    events = _events(seen)
    answer = _answer(seen, events)
    unreached = Missing(f"the next hop was not reached; the answer was {_outcome(seen, answer)}")
    request = unreached if seen.request is None else _json(seen.request, "the request at the next hop")
    return {
        "request": request,
        "headers": unreached if seen.request is None else seen.request_headers,
        "answer": answer,
        "text": _text(answer, events, seen),
        "events": events if events else Missing(f"the answer is no stream, but {_outcome(seen, answer)}"),
        "status": seen.status,
        "route": _route(seen.hop, request, models),
    }


def _route(hop: str | None, request: Any, models: Models) -> Any:
    if hop is None or not isinstance(request, dict):
        return request
    slug = request.get("model")
    return {"egress": hop, "slug": slug, "model": models.get(hop, {}).get(str(slug), slug)}


def _events(seen: Seen) -> list[Any]:
    if not seen.headers.get("content-type", "").startswith("text/event-stream"):
        return []
    decoder = SSEDecoder()
    frames = [*decoder.feed(seen.body.encode()), *decoder.finish()]
    decoded = [_json(frame.data.decode("utf-8", "replace"), "an event") for frame in frames]
    return [event for event in decoded if isinstance(event, dict) and event.get("type") != "keepalive"]


def _answer(seen: Seen, events: list[Any]) -> Any:
    """The response that the stream ended with; of anything else the body."""
    if not seen.headers.get("content-type", "").startswith("text/event-stream"):
        return _json(seen.body, "the answer")
    ended = [event.get("response") for event in events if event.get("type") in TERMINAL]
    return ended[-1] if ended else Missing(f"the stream has no end{f': {seen.broken}' if seen.broken else ''}")


def _text(answer: Any, events: list[Any], seen: Seen) -> Any:
    """What a person reads: the deltas of a stream, the texts of a response."""
    deltas = [event.get("delta", "") for event in events if event.get("type") == "response.output_text.delta"]
    if events:
        return "".join(map(str, deltas))
    items = answer.get("output") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        return Missing(f"the answer has no text; it was {_outcome(seen, answer)}")
    parts = [part for item in items if isinstance(item, dict) for part in item.get("content") or [] if isinstance(part, dict)]
    return "".join(str(part.get("text", "")) for part in parts)


def _outcome(seen: Seen, answer: Any) -> str:
    """An answer in a few words."""
    error = answer.get("error") if isinstance(answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return f"status {seen.status}" + (f": {message}" if message else "") + (f"; it broke off: {seen.broken}" if seen.broken else "")


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return Missing(f"{what} is no JSON")
