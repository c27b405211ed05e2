"""What a recorded answer amounts to, read by the same rules as one that comes now (orchestrator/trial). Pure."""

from __future__ import annotations

from codex_shim.stages.contract.errors import read_failure
from codex_shim.stages.contract.sse import SSEDecoder

from ..trial.answer import Answer, Trouble, is_stream, read_event
from .crossing import Crossing

UNANSWERED = "unanswered"


def answer_of(crossing: Crossing) -> Answer:
    """Its moments are those of the recording."""
    answer = Answer(request_id=crossing.id, items=[])
    if crossing.status is None:
        answer.trouble = Trouble(UNANSWERED, f"it ended without an answer ({crossing.outcome or 'nobody knows why'})")
        return answer
    answer.headers = (crossing.first_ms or 0.0) / 1000
    if crossing.status != 200:
        failure = read_failure(crossing.status, crossing.text.encode())
        answer.trouble = Trouble(failure.code, failure.message)
    elif is_stream(crossing.answer_headers.get("content-type")):
        _read(crossing, answer)
    else:
        answer.take(read_event(crossing.text.encode()), (crossing.ms or 0.0) / 1000)
    return answer


def _read(crossing: Crossing, answer: Answer) -> None:
    decoder = SSEDecoder()
    for offset, text in crossing.answer:
        for frame in decoder.feed(text.encode()):
            answer.feed(read_event(frame.data), offset / 1000)
    answer.finish()
