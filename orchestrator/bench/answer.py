"""Whether an answer is the one the script gives. Pure: the bytes of one HTTP answer in, its text or a sentence out.

A benchmark that does not read what it gets measures how fast errors come.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from codex_shim.stages.contract.sse import SSEDecoder

from .script import CLOSING, OPENING

Wire = Literal["chat", "responses"]

# The first bytes by which a client sees that the model speaks.
FIRST_TOKEN: dict[Wire, bytes] = {"chat": b'"content":', "responses": b'.delta","'}
# The end of a chunked body. No event can hold it: a blank line never stands in front of a `0`.
CHUNKED_END = b"\r\n0\r\n\r\n"

_TERMINAL = ("response.completed", "response.failed", "response.incomplete")


class WrongAnswerError(Exception):
    """The message says what was wrong with it."""


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []


class _Event(msgspec.Struct):
    type: str = ""
    delta: Any = None
    response: Any = None


_read_chunk = msgspec.json.Decoder(_Chunk).decode
_read_event = msgspec.json.Decoder(_Event).decode


def text_of(raw: bytes, wire: Wire) -> str:
    """Raises `WrongAnswerError` for anything but a whole and successful stream."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if status != [b"200"]:
        raise WrongAnswerError(f"the status was {b''.join(status).decode() or 'missing'}: {body[:300].decode('utf-8', 'replace')}")
    if b"transfer-encoding: chunked" in head.lower():
        body = unchunk(body)
    frames = [frame.data for frame in SSEDecoder().feed(body)]
    try:
        return _chat_text(frames) if wire == "chat" else _responses_text(frames)
    except msgspec.MsgspecError as error:
        raise WrongAnswerError(f"an event could not be read: {error}") from error


def unchunk(body: bytes) -> bytes:
    """A chunked body without its framing."""
    parts: list[bytes] = []
    at = 0
    while True:
        end = body.find(b"\r\n", at)
        if end < 0:
            raise WrongAnswerError("the body broke off between two chunks")
        size = int(body[at:end].partition(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 2 + size + 2


def _chat_text(frames: list[bytes]) -> str:
    if not frames or frames.pop() != b"[DONE]":
        raise WrongAnswerError("the stream did not end in [DONE]")
    chunks = [_read_chunk(frame) for frame in frames]
    return "".join([choice.delta.content or "" for chunk in chunks for choice in chunk.choices])


def _responses_text(frames: list[bytes]) -> str:
    events = [_read_event(frame) for frame in frames if frame != b"[DONE]"]
    ends = [event.type for event in events if event.type in _TERMINAL]
    if ends != ["response.completed"]:
        failed = next((event.response for event in events if event.type == "response.failed"), None)
        raise WrongAnswerError(f"the stream ended in {' and '.join(ends) or 'no terminal event'} {failed or ''}".rstrip())
    arguments = "".join([event.delta for event in events if event.type == "response.function_call_arguments.delta"])
    if arguments:
        return arguments.removeprefix(OPENING).removesuffix(CLOSING)
    return "".join([event.delta for event in events if event.type == "response.output_text.delta"])
