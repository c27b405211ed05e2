"""What crosses a hop, in lines for a person: one per request, its body and its answer, its events, and what a stage has changed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import typer

from ..sight.changes import Change, Number, parse
from ..sight.crossing import Crossing
from ..sight.outcome import answer_of
from ..sight.passing import Passed, shortened
from ..sight.prefix import Verdict, size
from ..sight.stage_diff import AnswerDiff, StageDiff
from ..sight.words import difference, is_long

_MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow"), "order": ("↕", "yellow")}
_SHORT_ID = 12
_SHORT_SESSION = 8
_MOST_VALUE = 160
_SHORT_TEXT = 60


class Columns:
    """Lines under one another: a column is as wide as the widest that came so far."""

    def __init__(self) -> None:
        self._widths: dict[int, int] = {}

    def line(self, cells: list[tuple[str, str | None]]) -> str:
        """Each cell with its colour; the last one has no width."""
        shown = []
        for place, (text, colour) in enumerate(cells):
            width = self._widths[place] = max(self._widths.get(place, 0), len(text))
            shown.append(_painted(text if place == len(cells) - 1 else text.ljust(width), colour))
        return "  ".join(shown).rstrip()


def cells_of(crossing: Crossing) -> list[tuple[str, str | None]]:
    """Time, hop, id, model, session, status, milliseconds to the first byte and to the end, sizes, outcome."""
    outcome = "lost in part" if crossing.lost else crossing.outcome or "-"
    return [
        (clock(crossing.ts), None),
        (crossing.hop, "cyan"),
        (crossing.id[:_SHORT_ID] or "-", "bright_black"),
        (crossing.model or f"{crossing.method} {crossing.path}", "magenta"),
        ((crossing.session or "-")[-_SHORT_SESSION:], "bright_black"),
        (str(crossing.status or "-"), "green" if crossing.status == 200 else "red"),
        (f"{_ms(crossing.first_ms)} first", None),
        (_ms(crossing.ms), None),
        (f"{size(crossing.bytes_in)} in", None),
        (f"{size(crossing.bytes_out)} out", None),
        (outcome, {"ok": "green", "cancelled": "yellow"}.get(outcome, "red")),
    ]


def insides(crossing: Crossing) -> Iterator[str]:
    """The request as JSON that can be read, and the text and the calls of the answer."""
    if crossing.body:
        yield _painted("  request", "bright_black")
        yield from _indented(_pretty(crossing.body))
    if crossing.answer:
        yield _painted("  answer", "bright_black")
        answer = answer_of(crossing)
        yield from _indented(answer.text)
        for item in answer.items:
            if str(item.get("type", "")).endswith("_call"):
                yield from _indented(json.dumps(item, ensure_ascii=False))
        if answer.trouble is not None:
            yield from _indented(f"{answer.trouble.code}: {answer.trouble.message}")


def cells_of_event(passed: Passed) -> list[tuple[str, str | None]]:
    colour = "red" if passed.type in ("response.failed", "response.incomplete", "error") else None
    colour = "green" if passed.type == "response.completed" else colour
    return [
        (f"  +{passed.offset:.0f} ms".rjust(11), "bright_black"),
        (passed.hop, "cyan"),
        (passed.id[:_SHORT_ID], "bright_black"),
        (passed.type, colour or "blue"),
        (passed.gist, None),
    ]


def violation(record: dict[str, Any]) -> str:
    """A rule of the contract that a hop has broken."""
    where = f"{record.get('hop')}  {str(record.get('id') or '')[:_SHORT_ID]}  {record.get('rule')}"
    return f"{_painted('broken', 'red')}  {where}  {record.get('field')}: {record.get('sentence')}"


def of_stage(diff: StageDiff) -> Iterator[str]:
    """What a stage has done to one request."""
    head = [clock(diff.ts), diff.stage, diff.id[:_SHORT_ID], diff.model or "-", (diff.session or "-")[-_SHORT_SESSION:]]
    yield typer.style("  ".join([*head, str(diff.status or "-")]), bold=True)
    if diff.answer is None:
        yield "  it was sent to no stage behind: this one answered it itself, or the client left"
        return
    yield from _section("request", diff.request)
    yield from _section("headers", diff.headers)
    yield from _of_answer(diff.answer)
    if not diff.anything:
        yield _painted("  nothing was changed", "bright_black")
    if diff.prefix is not None:
        yield "  " + _painted(diff.prefix.sentence, _colour_of(diff.prefix))


def text_lines(before: str, after: str) -> Iterator[str]:
    """A unified diff of two texts; of a single line the words within it."""
    pieces = difference(before, after)
    if is_long(before, after):
        signs = {"added": "+", "removed": "-", "same": " ", "left out": " "}
        yield from (_painted(f"{signs[tone]} {text}", _tone(tone)) for tone, text in pieces)
        return
    marked = {"added": "{{+{}+}}", "removed": "[-{}-]", "same": "{}", "left out": " {} "}
    yield "".join(_painted(marked[tone].format(text), _tone(tone)) for tone, text in pieces)


def clock(moment: float) -> str:
    """`12:01:33.120`, of this machine's time."""
    return time.strftime("%H:%M:%S", time.localtime(moment)) + f".{int(moment * 1000) % 1000:03}"


def _of_answer(answer: AnswerDiff) -> Iterator[str]:
    if not answer.anything:
        if not answer.same_bytes:
            yield _painted("  the answer: the same events, in other bytes", "bright_black")
        return
    yield from _section("headers of the answer", answer.headers)
    yield from _section("answer", answer.fields)
    for each in answer.events:
        yield f"    {_painted('~', 'yellow')} events {each.type}: {each.came} came, {each.went} went on"


def _section(title: str, found: list[Change]) -> Iterator[str]:
    if found:
        yield f"  {title}"
    for change in found:
        mark, colour = _MARKS[change.kind]
        lines = list(_told(change))
        yield f"    {_painted(mark, colour)} {change.path or 'the whole'}{lines[0] if lines else ''}"
        yield from (f"      {line}" for line in lines[1:])


def _told(change: Change) -> Iterator[str]:
    """The first line stands behind the path, the others beneath it."""
    before, after = change.before, change.after
    if change.kind == "order":
        yield f": the keys stand in another order: {', '.join(after)}"
    elif change.kind == "changed" and isinstance(before, str) and isinstance(after, str) and _is_wordy(before, after):
        yield ""
        yield from text_lines(before, after)
    elif change.kind == "changed":
        yield f": {_value(before)} → {_value(after)}"
    else:
        yield f": {_value(before if change.kind == 'removed' else after)}"


def _is_wordy(before: str, after: str) -> bool:
    return max(len(before), len(after)) > _SHORT_TEXT or "\n" in before + after


def _value(value: Any) -> str:
    return value.spelt if isinstance(value, Number) else shortened(json.dumps(value, ensure_ascii=False), _MOST_VALUE)


def _colour_of(verdict: Verdict) -> str:
    if verdict.went.broken_at is None:
        return "green"
    return "red" if verdict.came.broken_at is None else "yellow"


def _pretty(body: str) -> str:
    try:
        return json.dumps(parse(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def _indented(text: str) -> Iterator[str]:
    return (f"    {line}" for line in text.splitlines())


def _ms(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.0f} ms"


def _tone(tone: str) -> str | None:
    return {"added": "green", "removed": "red", "left out": "bright_black"}.get(tone)


def _painted(text: str, colour: str | None) -> str:
    return typer.style(text, fg=colour) if colour else text
