"""What a stage did to an exchange, told from what the probes on both its sides have seen. Pure.

Only shape is judged: which words a stage changes is what it is there for. What is held against a stage, and when:

    unknown-fields   a field that no contract knows is gone, or holds another value
    unknown-items    an input item of an unknown type is gone or changed
    unknown-events   fewer events of an unknown type came out than went in
    key-order        an order of keys that went in is gone, and the same keys stand in another order instead
    ids              ids of items, calls or the response are gone, and others stand there instead
    utf-8            more characters came out as U+FFFD than went in
    buffered         the first piece came out when the last one had come in, though they came over half a second or more
    terminal         all events came out but the terminal one
    closed-early     the answer ended while more of it was coming, or before its last events
    cancellation     a second after the client had gone, the stage was still reading from behind
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from codex_shim.stages.contract.check.digest import RequestDigest
from codex_shim.stages.contract.check.violation import Violation

# A stage that is merely slow on a busy machine must not be taken for one that buffers, or that does not listen.
SPREAD_SECONDS = 0.5
LATE_SECONDS = 1.0
# By its third piece a stream is one that could have been passed on piece by piece.
_FEWEST_CHUNKS = 3


class Stream(msgspec.Struct, kw_only=True):
    """Of an event stream: how many events, how it ended, the ids in it, events of unknown types, and characters that were lost."""

    events: int = 0
    terminal: str = ""
    ids: list[str] = []
    unknown: dict[str, int] = {}
    replaced: int = 0


class Crossed(msgspec.Struct, kw_only=True):
    """One exchange at one hop, as its probe has told of it (stages/probe/report.py). Moments are seconds since the epoch."""

    hop: str
    request_id: str = ""
    began: float = 0.0
    ended: float = 0.0
    first: float | None = None
    last: float | None = None
    chunks: int = 0
    outcome: str = "ok"
    request: list[Violation] = []
    answer: list[Violation] = []
    digest: RequestDigest | None = None
    stream: Stream | None = None


def judge(front: Crossed, behind: Crossed) -> list[Violation]:
    """What the stage between the two hops has broken. `front` is the hop toward Codex."""
    found = _request(front.digest, behind.digest) if front.digest and behind.digest else []
    if front.stream is not None and behind.stream is not None:
        found += _stream(front, front.stream, behind, behind.stream)
    if front.outcome == "cancelled" and behind.ended > front.ended + LATE_SECONDS:
        found.append(deaf(behind.hop))
    return found


def deaf(hop: str) -> Violation:
    """Of a stage that goes on for a client who has gone."""
    sentence = f"the client went away, and {LATE_SECONDS:g} s later the exchange behind this stage still ran"
    return Violation("cancellation", f"the connection of {hop}", sentence)


# -- what went on ------------------------------------------------------------------------------------------------------


def _request(sent: RequestDigest, came: RequestDigest) -> list[Violation]:
    """`sent` went into the stage, `came` came out of it toward the provider."""
    found = [*_fields(sent.fields, came.fields), *_items(sent.items, came.items), *_orders(sent, came)]
    if sent.ids is not None and came.ids is not None:
        found += _ids(sent.ids, came.ids, "the request", "input")
    if came.replaced > sent.replaced:
        found.append(_unread(came.replaced - sent.replaced, "the request", "body"))
    return found


def _fields(sent: Mapping[str, str], came: Mapping[str, str]) -> list[Violation]:
    for name, value in sent.items():
        if name not in came:
            return [Violation("unknown-fields", name, f"the field `{name}`, which nobody knows, was dropped from the request")]
        if came[name] != value:
            return [Violation("unknown-fields", name, f"the field `{name}`, which nobody knows, was changed in the request")]
    return []


def _items(sent: Sequence[str], came: Sequence[str]) -> list[Violation]:
    rest = iter(came)
    if all(any(item == candidate for candidate in rest) for item in sent):
        return []
    return [Violation("unknown-items", "input", "an input item of a type that nobody knows was dropped, changed or moved")]


def _orders(sent: RequestDigest, came: RequestDigest) -> list[Violation]:
    """An object that is new has its own order; one that is gone has none. Only where both happened, keys were moved."""
    for keys, (path, orders) in sent.shapes.items():
        now = came.shapes[keys][1] if keys in came.shapes else orders
        if set(orders) - set(now) and set(now) - set(orders):
            sentence = f"the keys of {path} stand in another order; a provider's prompt cache is lost by that"
            return [Violation("key-order", path, sentence)]
    return []


# -- what came back ----------------------------------------------------------------------------------------------------


def _stream(front: Crossed, out: Stream, behind: Crossed, into: Stream) -> list[Violation]:
    """`into` is the answer as it came into the stage, `out` as it came out of it toward Codex."""
    found = [*_ids(into.ids, out.ids, "the answer", "response.output_item.done"), *_events(into.unknown, out.unknown)]
    if out.replaced > into.replaced:
        found.append(_unread(out.replaced - into.replaced, "the answer", "data"))
    if front.outcome == "cancelled":
        return [each for each in found if each.rule != "unknown-events"]  # some had no time to come out
    return [*found, *_end(front, out, behind, into), *_held(front, behind)]


def _events(into: Mapping[str, int], out: Mapping[str, int]) -> list[Violation]:
    for kind, count in into.items():
        if out.get(kind, 0) < count:
            sentence = f"of {count} events `{kind}`, which nobody knows, {out.get(kind, 0)} came out"
            return [Violation("unknown-events", kind, sentence)]
    return []


def _end(front: Crossed, out: Stream, behind: Crossed, into: Stream) -> list[Violation]:
    if out.terminal:
        return []
    if into.terminal and out.events >= into.events - 1:
        return [Violation("terminal", into.terminal, f"`{into.terminal}` came into the stage, and no terminal event out of it")]
    if into.terminal or (behind.outcome == "cancelled" and front.outcome != behind.outcome):
        sentence = f"the answer ended behind event {out.events} without a terminal event, while there was more of it"
        return [Violation("closed-early", f"event {out.events}", sentence)]
    return []


def _held(front: Crossed, behind: Crossed) -> list[Violation]:
    if front.first is None or behind.first is None or behind.last is None or behind.chunks < _FEWEST_CHUNKS:
        return []
    spread = behind.last - behind.first
    if spread < SPREAD_SECONDS or front.first < behind.last:
        return []
    sentence = f"nothing came out of the stage before all of the answer had come in, over {spread:.1f} s; it holds streams back"
    return [Violation("buffered", "the first event", sentence)]


# -- both --------------------------------------------------------------------------------------------------------------


def _ids(before: Sequence[str], after: Sequence[str], what: str, field: str) -> list[Violation]:
    """Items may be dropped, or added with ids of their own. Where both happened, ids were rewritten."""
    lost, new = set(before) - set(after), set(after) - set(before)
    if not lost or not new:
        return []
    return [Violation("ids", f"{field} id", f"{len(lost)} ids of {what} are gone, and {len(new)} others stand there instead")]


def _unread(count: int, what: str, field: str) -> Violation:
    sentence = f"{count} characters of {what} came out as U+FFFD; bytes were decoded piece by piece, or with the wrong encoding"
    return Violation("utf-8", field, sentence)
