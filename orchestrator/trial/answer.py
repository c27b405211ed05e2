"""What came back for one request: fed with events and the moments they came at. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from codex_shim.stages.contract.errors import SERVER_ERROR

_TOTALS = ("input_tokens", "output_tokens", "total_tokens")
_UNFINISHED = ("failed", "incomplete")


class Trouble(msgspec.Struct, frozen=True):
    """Why a request did not succeed: `code` as in docs/hop-contract.md, and the sentence that came with it."""

    code: str
    message: str


class Answer(msgspec.Struct, kw_only=True):
    """Moments are seconds since the request was begun, None for what never came."""

    request_id: str
    headers: float | None = None
    first_token: float | None = None
    whole: float | None = None
    text: str = ""
    pieces: int = 0
    items: list[dict[str, Any]] = []
    usage: dict[str, int] | None = None
    trouble: Trouble | None = None

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [item for item in self.items if item.get("type") == "function_call"]

    @property
    def ended(self) -> bool:
        return self.whole is not None or self.trouble is not None

    def feed(self, event: dict[str, Any], moment: float) -> None:
        """One event of the stream."""
        kind = str(event.get("type", ""))
        if kind.endswith(".delta") and self.first_token is None:
            self.first_token = moment
        match kind:
            case "response.output_text.delta":
                self.text += str(event.get("delta", ""))
                self.pieces += 1
            case "response.output_item.done" if isinstance(event.get("item"), dict):
                self.items.append(event["item"])
            case "response.completed":
                self.whole = moment
                self.usage = _usage(_response(event))
            case "response.failed" | "response.incomplete":
                self.trouble = _trouble(_response(event))

    def take(self, response: dict[str, Any], moment: float) -> None:
        """An answer in one piece of JSON: what a stream would have told at its end."""
        status = response.get("status")
        self.items += [item for item in response.get("output") or [] if isinstance(item, dict)]
        self.text = "".join(_texts(self.items))
        self.feed({"type": f"response.{status if status in _UNFINISHED else 'completed'}", "response": response}, moment)

    def finish(self) -> None:
        """The stream is over."""
        if not self.ended:
            self.trouble = Trouble(SERVER_ERROR, "the answer ended before it was complete")


def is_stream(content_type: str | None) -> bool:
    """Whether an answer comes in events."""
    return (content_type or "").startswith("text/event-stream")


def read_event(data: bytes) -> dict[str, Any]:
    """The JSON object of an event; empty for what is none."""
    try:
        decoded = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _response(event: dict[str, Any]) -> dict[str, Any]:
    response = event.get("response")
    return response if isinstance(response, dict) else {}


def _usage(response: dict[str, Any]) -> dict[str, int] | None:
    """Codex repeats a turn whose usage lacks one of the three, so half of it is none."""
    usage = response.get("usage")
    found = {name: usage.get(name) for name in _TOTALS} if isinstance(usage, dict) else {}
    whole = {name: value for name, value in found.items() if isinstance(value, int)}
    return whole | _cached(usage) if len(whole) == len(_TOTALS) else None


def _cached(usage: Any) -> dict[str, int]:
    """How much of the input the provider had read before, where it says so."""
    details = usage.get("input_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return {"cached_tokens": cached} if isinstance(cached, int) else {}


def _texts(items: list[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        for part in item.get("content") or []:
            if isinstance(part, dict) and part.get("type") == "output_text":
                yield str(part.get("text") or "")


def _trouble(response: dict[str, Any]) -> Trouble:
    error, details = response.get("error"), response.get("incomplete_details")
    if isinstance(error, dict):
        return Trouble(str(error.get("code") or SERVER_ERROR), str(error.get("message") or "the answer failed without a reason"))
    reason = details.get("reason") if isinstance(details, dict) else None
    return Trouble("incomplete", f"the answer was cut off ({reason or 'no reason was given'})")
