"""`codex-shim record`: exchanges of the running chain, into a file of the user's own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import fail, say_error
from .watching import Hops, Id, Limit, Session, Slug, Status

if TYPE_CHECKING:
    from ..sight.crossing import Crossing
    from ..sight.recorder import Recorder


def record(
    out: Annotated[Path, typer.Option(help="The file to write; it must not be there yet.")],
    hops: Hops = None,
    slug: Slug = None,
    session: Session = None,
    status: Status = None,
    id: Id = None,
    limit: Limit = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file where it is there.")] = False,
) -> None:
    """Write the requests that cross a hop, and their answers, to a file until Ctrl-C. Without a HOP it is the one behind ingress.

    The file holds prompts and answers, and only you may read it (0600). Keys and tokens are masked. `codex-shim replay` plays it.

    Example: codex-shim record --out session.jsonl
    """
    from ..sight.crossing import Gatherer
    from ..sight.recorder import Recorder
    from . import watching

    if out.exists() and not force:
        fail(_taken(out))
    chosen = watching.selection(slug, session, status, id, 1, limit)
    wanted = hops or watching.default_hops()
    records = watching.follow(wanted, chosen, bodies=True, events=True)
    next(records, None)  # nothing is written where nothing can be watched
    gatherer, left_out = Gatherer(), 0
    try:
        with Recorder(out, wanted, time.time(), replace=force) as recorder:
            for told in records:
                crossing = gatherer.feed(told) if told is not None else None
                if crossing is not None and _is_exchange(crossing):
                    left_out += crossing.lost
                    _keep(recorder, crossing)
    except FileExistsError:
        fail(_taken(out))
    _tell(recorder, out, left_out)


def _taken(out: Path) -> str:
    return f"{out} is there already; choose another name, or replace it with --force"


def _is_exchange(crossing: Crossing) -> bool:
    """Who only asks for the list of models, or for health, says nothing worth playing again."""
    return crossing.method == "POST"


def _keep(recorder: Recorder, crossing: Crossing) -> None:
    from . import taplines

    if crossing.lost:
        say_error(f"request {crossing.id} was left out: a part of its answer came faster than it could be written")
        return
    recorder.write(crossing)
    typer.echo(taplines.Columns().line(taplines.cells_of(crossing)), err=True)


def _tell(recorder: Recorder, out: Path, left_out: int) -> None:
    from ..sight.prefix import size

    count = f"{recorder.count} exchange{'s' if recorder.count != 1 else ''}"
    typer.echo(f"Wrote {count} to {out}, {size(recorder.size)}." + (f" {left_out} were left out." if left_out else ""))
