"""A Gemini stream → the events of one response.

Each frame is a whole response object with the next parts in it; a call comes in one piece, so it is done as soon as it is there.
The reason to stop comes with the last parts, the usage with each frame anew: the terminal event is written when the body ends.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ....contract.errors import Failure
from ....contract.events import Event, ResponseBuilder
from ....contract.sse import Frame
from ....contract.tools import ToolTable
from .. import finish as common
from ..call_writer import CallWriter, value_of
from ..ids import CallIds
from ..parts import as_json
from . import errors, finish
from .signatures import Mark, Signatures
from .usage import read_usage


class GeminiStream:
    """The `Translator` of the gemini dialect."""

    def __init__(self, builder: ResponseBuilder, tools: ToolTable, ids: CallIds, signatures: Signatures) -> None:
        self._builder = builder
        self._tools = tools
        self._ids = ids
        self._signatures = signatures
        self._reason: str | None = None
        self._sentence = ""
        self._usage: Any = None
        self._spoke = False

    @property
    def ended(self) -> bool:
        return self._builder.ended

    @property
    def settled(self) -> bool:
        return self._reason is not None

    def feed(self, frame: Frame) -> list[Event]:
        data = frame.data.strip()
        if self._builder.ended or not data or data == b"[DONE]":
            return []
        try:
            decoded = msgspec.json.decode(data)
        except (ValueError, RecursionError):
            return self._fail(common.garbage(data))
        events: list[Event] = []
        for chunk in decoded if isinstance(decoded, list) else [decoded]:
            if not self._builder.ended:
                events += self._chunk(chunk) if isinstance(chunk, dict) else self._fail(common.garbage(data))
        return events

    def finish(self) -> list[Event]:
        if self._builder.ended:
            return []
        if self._reason is None:
            return self._fail(common.ENDED_EARLY)
        failure = finish.failure_of(self._reason, self._sentence)
        usage = read_usage(self._usage)
        if self._reason == finish.LENGTH:
            return self._builder.incomplete("max_output_tokens", usage)
        if failure is None and self._spoke:
            return self._builder.complete(usage)
        kept = self._builder.close() if failure is not None and failure.status == 400 else []
        return [*kept, *self._fail(failure or finish.EMPTY)]

    # -- one frame --------------------------------------------------------------------------------------------------

    def _chunk(self, chunk: dict[str, Any]) -> list[Event]:
        if chunk.get("error"):
            return self._fail(errors.read_inside(chunk["error"]))
        self._usage = chunk.get("usageMetadata") or self._usage
        feedback = chunk.get("promptFeedback")
        if isinstance(feedback, dict) and feedback.get("blockReason"):
            return self._fail(finish.blocked(str(feedback["blockReason"]), str(feedback.get("blockReasonMessage") or "")))
        candidates = chunk.get("candidates")
        first = candidates[0] if isinstance(candidates, list) and candidates else None
        return self._candidate(first) if isinstance(first, dict) else []

    def _candidate(self, candidate: dict[str, Any]) -> list[Event]:
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        events: list[Event] = []
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict) and not self._builder.ended:
                events += self._part(part)
        if isinstance(candidate.get("finishReason"), str):
            self._reason = candidate["finishReason"]
            self._sentence = str(candidate.get("finishMessage") or "")
        return events

    def _part(self, part: dict[str, Any]) -> list[Event]:
        signature = part.get("thoughtSignature")
        signature = signature if isinstance(signature, str) and signature else None
        if isinstance(part.get("functionCall"), dict):
            return self._call(part["functionCall"], signature)
        text = _text_of(part)
        if part.get("thought"):
            return self._builder.reasoning(text) if text else []
        self._spoke = self._spoke or bool(text)
        events = self._builder.text(text) if text else []
        return [*events, *self._sign(Mark(at="text", sig=signature, chars=len(text)))] if signature else events

    def _call(self, call: dict[str, Any], signature: str | None) -> list[Event]:
        name = call.get("name")
        if not isinstance(name, str) or not name:
            return self._fail(common.NAMELESS_CALL)
        tool = self._tools.resolve(name)
        arguments = as_json(call["args"]) if isinstance(call.get("args"), dict) else "{}"
        value = value_of(tool, arguments)
        if value is None:
            return self._fail(common.CUT_CALL)
        self._spoke = True
        signed = self._sign(Mark(at="call", sig=signature)) if signature else []
        writer = CallWriter(self._builder, tool, self._ids.take(call.get("id")))
        return [*signed, *writer.begin(), *writer.end(value)]

    def _sign(self, mark: Mark) -> list[Event]:
        return self._builder.seal_reasoning(self._signatures.seal(mark))

    def _fail(self, failure: Failure) -> list[Event]:
        return self._builder.fail(failure, read_usage(self._usage) if self._usage else None)


def _text_of(part: dict[str, Any]) -> str:
    """The text of a part. Media that the model made cannot be shown to Codex, so that it did is said in words."""
    media = part.get("inlineData")
    if isinstance(media, dict):
        return f"[The model sent {media.get('mimeType')}, which cannot be shown here.]"
    return part["text"] if isinstance(part.get("text"), str) else ""
