"""What is wrong with what came out of a stage: None, or one sentence with what was expected and what was seen. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...contract import traceparent
from ...contract.events import TERMINAL
from ...contract.headers import TRACEPARENT

_QUOTED = 160


def lost_fields(sent: Mapping[str, Any], got: Mapping[str, Any]) -> str | None:
    """Top-level fields that are gone or changed. `input` and `tools` are lists with rules of their own."""
    for name, value in sent.items():
        if name not in got:
            return f"expected the field `{name}` at the next hop, which got {_names(got)}"
        if name not in ("input", "tools") and got[name] != value:
            return f"expected `{name}` to stay {quote(value)}; the next hop got {quote(got[name])}"
    return None


def lost_items(sent: Sequence[Any], got: Sequence[Any], what: str) -> str | None:
    """`sent` must be in `got` in its order; more may stand between, because a stage may add."""
    rest = iter(got)
    for place, item in enumerate(sent):
        if not any(item == candidate for candidate in rest):
            return f"expected {what} {place + 1} of {len(sent)}, {quote(item)}, unchanged and in its place; got {quote(got)}"
    return None


def key_order(sent: Any, got: Any, path: str = "") -> str | None:
    """The first object whose keys came in another order than they were sent in. Keys that were added do not count."""
    if isinstance(sent, list) and isinstance(got, list):
        pairs = [(before, after, f"{path}[{place}]") for place, (before, after) in enumerate(zip(sent, got, strict=False))]
    elif isinstance(sent, dict) and isinstance(got, dict):
        shared = [name for name in sent if name in got]
        for first, other in zip(shared, [name for name in got if name in sent], strict=True):
            if first != other:
                return f"expected the keys of {path or 'the body'} in their order; `{other}` came where `{first}` was"
        pairs = [(sent[name], got[name], f"{path}.{name}" if path else name) for name in shared]
    else:
        return None
    return next((fault for before, after, at in pairs if (fault := key_order(before, after, at))), None)


def ending(events: Sequence[Mapping[str, Any]], expected: str, broken: str | None) -> str | None:
    """A stream has one terminal event, the expected one, and nothing after it."""
    kinds = [str(event.get("type")) for event in events]
    terminal = [kind for kind in kinds if kind in TERMINAL]
    if broken is not None:
        return f"expected the stream to end after {expected}; it broke off: {broken}"
    if terminal != [expected]:
        return f"expected exactly one terminal event, {expected}; saw {_list(terminal)} at the end of {_list(kinds[-4:])}"
    if kinds[-1] != expected:
        return f"expected nothing after {expected}; saw {_list(kinds[kinds.index(expected) + 1 :])}"
    return None


def broken_off(events: Sequence[Mapping[str, Any]], broken: str | None) -> str | None:
    """A stream that its source broke off: cut off here too, or ended by one `response.failed`. Never a clean end."""
    terminal = [str(event.get("type")) for event in events if event.get("type") in TERMINAL]
    if terminal == ["response.failed"] or (not terminal and broken is not None):
        return None
    seen = f"a stream that ends with {_list(terminal)}" if terminal else "a stream that ends as if it were whole"
    return f"expected the connection to be cut, or one response.failed, when the next hop breaks off; saw {seen}"


def error_answer(status: int, kind: str, body: bytes) -> str | None:
    """An error before the first byte is `{"error": {"message", "type", "code", "param"}}`."""
    try:
        error = json.loads(body)["error"]
        message, code = error["message"], error["code"]
    except (ValueError, TypeError, KeyError):
        said = quote(body.decode("utf-8", "replace"))
        return f'expected {{"error":{{"message","type","code","param"}}}} with status {status}; saw {kind or "no type"}: {said}'
    if not isinstance(message, str) or not message or not isinstance(code, str | None):
        return f"expected an error with a message and a code; saw {quote(error)}"
    if "json" not in kind:
        return f"expected the content type application/json for an error; saw {kind or 'none'}"
    return None


def lost_headers(sent: Mapping[str, str], got: Mapping[str, str]) -> str | None:
    for name, value in sent.items():
        if got.get(name) != value and not (name == TRACEPARENT and _goes_on(value, got.get(name))):
            seen = f"`{quote(got[name])}`" if name in got else "none"
            return f"expected the header `{name}: {quote(value)}` at the next hop; saw {seen}"
    return None


def _goes_on(sent: str, got: str | None) -> bool:
    """A stage may put a span of its own into the trace that a request belongs to."""
    before, after = traceparent.read(sent), traceparent.read(got)
    return before is not None and after is not None and before.trace == after.trace


def quote(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}… ({len(text)} characters)"


def _names(names: Mapping[str, Any]) -> str:
    return ", ".join(names) or "no fields"


def _list(words: Sequence[str]) -> str:
    return ", ".join(words) or "none"
