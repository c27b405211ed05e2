"""What one stage has changed: the same request before it and behind it, and the answer on its way back. Pure."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

import msgspec
from codex_shim.stages.contract.headers import HOP_BY_HOP, REWRITTEN, TRACEPARENT
from codex_shim.stages.contract.sse import SSEDecoder

from ..trial.answer import Answer, is_stream, read_event
from .changes import Change, changes, parse
from .crossing import MOST_OPEN, Crossing
from .outcome import answer_of
from .prefix import Sessions, Verdict

# So long it may take until the other side of a request is known too: each hop tells of it on a line of its own.
LATE_SECONDS = 1.0

# They differ on each connection and at each hop, whoever stands between.
_NOT_COMPARED = HOP_BY_HOP | REWRITTEN | {"authorization", "date", "server", TRACEPARENT}


class Events(msgspec.Struct, frozen=True):
    """How many events of a type came into the stage from the provider's side, and how many it passed on toward Codex."""

    type: str
    came: int
    went: int


class AnswerDiff(msgspec.Struct, frozen=True, kw_only=True):
    """`fields` are the status, the text as it streams, the finished items, the usage and the error, each by its path. `same_bytes`
    tells that nothing at all was changed."""

    same_bytes: bool
    headers: list[Change] = []
    events: list[Events] = []
    fields: list[Change] = []

    @property
    def anything(self) -> bool:
        return bool(self.headers or self.events or self.fields)


class StageDiff(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `answer` is None where the stage sent nothing on, `prefix` where there is no request of its session before."""

    stage: str
    id: str
    ts: float
    model: str | None
    session: str | None
    status: int | None
    request: list[Change] = []
    headers: list[Change] = []
    answer: AnswerDiff | None = None
    prefix: Verdict | None = None

    @property
    def anything(self) -> bool:
        return bool(self.request or self.headers or (self.answer is not None and self.answer.anything))


class Pairing:
    """Joins what both hops of a stage tell. `feed` and `late` are given the moment by a clock that only grows, in seconds.

    Toward Codex is the hop before the stage: its crossing ends after the one behind, but what tells of it may be heard first.
    """

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._sessions = Sessions()
        self._before: OrderedDict[str, tuple[Crossing, float]] = OrderedDict()
        self._behind: OrderedDict[str, Crossing] = OrderedDict()

    def feed(self, crossing: Crossing, moment: float) -> StageDiff | None:
        """The whole of a request, once both sides of it have ended."""
        if crossing.hop.endswith(f">{self._stage}"):
            if (behind := self._behind.pop(crossing.id, None)) is not None:
                return self._diff(crossing, behind)
            self._before[crossing.id] = (crossing, moment)
        elif (waiting := self._before.pop(crossing.id, None)) is not None:
            return self._diff(waiting[0], crossing)
        else:
            self._behind[crossing.id] = crossing
            if len(self._behind) > MOST_OPEN:
                self._behind.popitem(last=False)
        return None

    def late(self, moment: float) -> list[StageDiff]:
        """The requests that the stage has answered itself."""
        found = []
        while self._before and next(iter(self._before.values()))[1] + LATE_SECONDS < moment:
            _, (crossing, _) = self._before.popitem(last=False)
            found.append(self._diff(crossing, None))
        return found

    @property
    def waiting(self) -> bool:
        """Whether `late` will still have something to tell."""
        return bool(self._before)

    def _diff(self, before: Crossing, behind: Crossing | None) -> StageDiff:
        head = {"stage": self._stage, "id": before.id, "ts": before.ts, "model": before.model, "session": before.session}
        if behind is None:
            return StageDiff(**head, status=before.status)
        return StageDiff(
            **head,
            status=before.status,
            request=_of_bodies(before.body, behind.body),
            headers=_of_headers(before.headers, behind.headers),
            answer=_of_answers(behind, before),
            prefix=self._prefix(before, behind),
        )

    def _prefix(self, before: Crossing, behind: Crossing) -> Verdict | None:
        if not before.session or before.body is None or behind.body is None:
            return None
        return self._sessions.feed(f"{before.session} {before.model} {before.path}", before.body, behind.body)


def _of_bodies(came: str | None, went: str | None) -> list[Change]:
    if came == went:
        return []
    try:
        return changes(parse(came or "null"), parse(went or "null"))
    except (ValueError, RecursionError):
        return [Change(kind="changed", path="", before=came, after=went)]


def _of_headers(came: dict[str, str], went: dict[str, str]) -> list[Change]:
    return [change for change in changes(_compared(came), _compared(went)) if change.kind != "order"]


def _compared(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in sorted(headers.items()) if name not in _NOT_COMPARED}


def _of_answers(came: Crossing, went: Crossing) -> AnswerDiff:
    headers = _of_headers(came.answer_headers, went.answer_headers)
    if (came.status, came.text) == (went.status, went.text):
        return AnswerDiff(same_bytes=True, headers=headers)
    fields = changes(_told(came), _told(went))
    shown = {(change.before, change.after) for change in fields if change.path == "text"}
    return AnswerDiff(
        same_bytes=False,
        headers=headers,
        events=_of_events(came, went),
        fields=[change for change in fields if change.path == "text" or not _repeats(change, shown)],
    )


def _repeats(change: Change, shown: set[tuple[str, str]]) -> bool:
    """The finished item holds once more the text that was streamed."""
    texts = isinstance(change.before, str) and isinstance(change.after, str)
    return texts and (change.before, change.after) in shown


def _told(crossing: Crossing) -> dict[str, Any]:
    answer: Answer = answer_of(crossing)
    told = {"status": crossing.status, "text": answer.text, "output": answer.items, "usage": answer.usage}
    return {**told, "error": msgspec.to_builtins(answer.trouble)}


def _of_events(came: Crossing, went: Crossing) -> list[Events]:
    counts = [_types(each) for each in (came, went)]
    types = list(dict.fromkeys([*counts[0], *counts[1]]))
    return [Events(type, counts[0][type], counts[1][type]) for type in types if counts[0][type] != counts[1][type]]


def _types(crossing: Crossing) -> Counter[str]:
    if not is_stream(crossing.answer_headers.get("content-type")):
        return Counter()
    decoder = SSEDecoder()
    frames = [*decoder.feed(crossing.text.encode()), *decoder.finish()]
    return Counter(str(read_event(frame.data).get("type") or frame.event.decode("utf-8", "replace")) for frame in frames)
