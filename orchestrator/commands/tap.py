"""`codex-shim pipeline tap`: what crosses a hop, live."""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import ask_running, fail, say_error
from .watching import Hops, Id, Limit, Session, Slug, Status

if TYPE_CHECKING:
    from ..sight.selection import Selection
    from ..sight.stage_diff import StageDiff


def tap(
    hops: Hops = None,
    diff: Annotated[str | None, typer.Option(metavar="STAGE", help="Show what this stage changes instead.")] = None,
    body: Annotated[bool, typer.Option("--body", help="Also each request's body, and the text of its answer.")] = False,
    events: Annotated[bool, typer.Option("--events", help="Also each event of a stream, as it passes.")] = False,
    slug: Slug = None,
    session: Session = None,
    status: Status = None,
    id: Id = None,
    sample: Annotated[int, typer.Option(metavar="N", help="Only every Nth request.", min=1)] = 1,
    limit: Limit = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line, for programs.")] = False,
) -> None:
    """Show what crosses a hop of the running chain, one line per request, until Ctrl-C. Without a HOP it is the one behind ingress.

    A process is put between the two stages for as long as this command runs; no stream waits for it. Keys and tokens are masked.

    Example: codex-shim pipeline tap 'router>*' --status 4xx --body
    """
    from . import watching

    if diff is not None and (hops or body or events):
        fail("--diff looks at both hops of a stage; leave out HOP, --body and --events", 2)
    chosen = watching.selection(slug, session, status, id, sample, limit)
    if diff is not None:
        _show_changes(diff, chosen, json=json)
        return
    records = watching.follow(hops or watching.default_hops(), chosen, bodies=body, events=body or events)
    if json:
        for record in records:
            if record is not None:
                typer.echo(json_module.dumps(record, ensure_ascii=False))
    else:
        _show(records, body=body, events=events)


def _show(records: Any, *, body: bool, events: bool) -> None:
    from ..sight.crossing import Gatherer
    from ..sight.passing import Passing
    from . import taplines

    gatherer, passing = Gatherer(), Passing()
    lines, event_lines = taplines.Columns(), taplines.Columns()
    for record in records:
        if record is None:
            continue
        if events:
            for passed in passing.feed(record):
                typer.echo(event_lines.line(taplines.cells_of_event(passed)))
        if record["type"] == "violation":
            typer.echo(taplines.violation(record))
        elif record["type"] == "dropped":
            _say_dropped(record)
        if (crossing := gatherer.feed(record)) is not None:
            typer.echo(lines.line(taplines.cells_of(crossing)))
            for line in taplines.insides(crossing) if body else ():
                typer.echo(line)


def _show_changes(stage: str, chosen: Selection, *, json: bool) -> None:
    """Both sides of every request are looked at, because a stage may change what they are chosen by."""
    import msgspec

    from . import taplines, watching

    for diff in _differences(stage, watching.follow(_both_hops(stage), watching.everything(), bodies=True, events=True)):
        if chosen.takes(diff.id, diff.model, diff.session, diff.status):
            for line in [msgspec.json.encode(diff).decode()] if json else taplines.of_stage(diff):
                typer.echo(line)
        if chosen.done:
            return


def _differences(stage: str, records: Iterable[dict[str, Any] | None]) -> Iterator[StageDiff]:
    from ..sight.crossing import Gatherer
    from ..sight.stage_diff import Pairing

    gatherer, pairing = Gatherer(), Pairing(stage)
    for record in records:
        if record is not None and record["type"] == "dropped":
            _say_dropped(record)
        crossing = gatherer.feed(record) if record is not None else None
        if crossing is not None and (diff := pairing.feed(crossing, time.monotonic())) is not None:
            yield diff
        yield from pairing.late(time.monotonic())
    yield from pairing.late(float("inf"))


def _both_hops(stage: str) -> list[str]:
    """Ends the command where the stage has but one."""
    from ..settings.problems import did_you_mean

    running = ask_running("status")
    chain, names = running["chain"], [each["name"] for each in running["stages"]]
    if stage not in names:
        fail(f"there is no stage named `{stage}`{did_you_mean(stage, names) or '; `codex-shim status` shows them'}")
    if stage == chain[0]:
        fail(f"{stage} is where Codex connects, and no hop is before it; tap the one behind it: '{stage}>*'")
    if stage not in chain:
        fail(f"behind {stage} is a provider, and no hop; tap the one before it: '*>{stage}'")
    return [f"*>{stage}", f"{stage}>*"]


def _say_dropped(record: dict[str, Any]) -> None:
    say_error(f"{record['records']} records were left out at {record['hop']}: they came faster than they can be shown")
