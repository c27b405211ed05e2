"""What the scripted upstream says: the same text for the same script, in both languages. Pure.

The Responses side is written by the chain's own `ResponseBuilder`, so that what bare relays carry is what an egress makes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from codex_shim.stages.contract.events import ResponseBuilder, Usage
from codex_shim.stages.contract.sse import encode_event, encode_events

MODEL = "bench"
# What stands around the text when it is the argument of a call.
OPENING, CLOSING = '{"cmd":"', '"}'
_FILLER = "the quick brown fox jumps over the lazy dog "
_encode = msgspec.json.encode


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: how many deltas, of how many characters, with which pause between two of them (0: as fast as it goes).

    With `call` it is said as the arguments of one tool call instead of as text.
    """

    deltas: int = 100
    size: int = 16
    pause_ms: float = 0.0
    call: bool = False


def pieces(script: Script) -> list[str]:
    """The text of each delta. Each is numbered, so that one that is lost or moved shows."""
    filler = _FILLER * (script.size // len(_FILLER) + 1)
    return [f"{number} {filler}"[: script.size] for number in range(script.deltas)]


def digest(text: str) -> str:
    """What is compared instead of texts of many megabytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def chat_blocks(script: Script) -> list[bytes]:
    """A chat completions stream in the pieces it is written in: the opening, one delta each, the end."""
    said = _called(script) if script.call else [{"content": piece} for piece in pieces(script)]
    deltas = [_chat(delta) for delta in said]
    usage = {"prompt_tokens": 10, "completion_tokens": script.deltas, "total_tokens": 10 + script.deltas}
    end = (
        _chat({}, "tool_calls" if script.call else "stop") + _frame({**_CHUNK, "choices": [], "usage": usage}) + b"data: [DONE]\n\n"
    )
    return [_chat({"role": "assistant"}), *deltas, end]


def responses_blocks(script: Script) -> list[bytes]:
    """The same answer as Responses events, cut at the same places."""
    builder = ResponseBuilder(MODEL, 0, lambda prefix: f"{prefix}_bench")
    opening, *deltas = [builder.start(), *[builder.text(piece) for piece in pieces(script)]]
    end = builder.complete(Usage(input=10, output=script.deltas))
    return [encode_events(opening), *[encode_events(events) for events in deltas], b"".join(map(encode_event, end))]


def _called(script: Script) -> list[dict[str, object]]:
    """The name, then the text in pieces as the one string of the arguments."""
    begin = {"name": "exec_command", "arguments": OPENING}
    fragments = [*pieces(script), CLOSING]
    return [
        {"tool_calls": [{"index": 0, "id": "call_bench", "type": "function", "function": begin}]},
        *[{"tool_calls": [{"index": 0, "function": {"arguments": fragment}}]} for fragment in fragments],
    ]


_CHUNK = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 0, "model": MODEL}


def _chat(delta: Mapping[str, object], reason: str | None = None) -> bytes:
    return _frame({**_CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


def _frame(value: object) -> bytes:
    return b"data: " + _encode(value) + b"\n\n"
