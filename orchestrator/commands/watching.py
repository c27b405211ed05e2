"""What `tap` and `record` share: which hops, which requests, and the loop over what the probes tell."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..control import NotRunningError
from .common import ask_running, connection, fail

if TYPE_CHECKING:
    from ..sight.feed import Feed
    from ..sight.selection import Selection

Hops = Annotated[list[str] | None, typer.Argument(metavar="HOP", help="Such as 'ingress>policy', 'router>*' or '*', in quotes.")]
Slug = Annotated[str | None, typer.Option(help="Only requests for this model; may hold *.")]
Session = Annotated[str | None, typer.Option(help="Only requests of this session, by the beginning or the end of its id.")]
Status = Annotated[str | None, typer.Option(help="Only answers with this status: 404, 4xx, or several: 4xx,503.")]
Id = Annotated[str | None, typer.Option("--id", help="Only this request, by the beginning or the end of its id.")]
Limit = Annotated[int | None, typer.Option(help="End after so many requests.", min=1)]

# How long a request's other hops are waited for, and a moment to look at what is late.
_LAST_SECONDS = 0.5
_PAUSE_SECONDS = 0.25


def default_hops() -> list[str]:
    """The hop behind the door of the running chain."""
    return [f"{ask_running('status')['chain'][0]}>*"]


def selection(
    slug: str | None, session: str | None, status: str | None, id: str | None, sample: int, limit: int | None
) -> Selection:
    from ..sight.selection import Selection, Wanted, statuses

    try:
        wanted = Wanted(slug=slug, session=session, id=id, statuses=statuses(status))
    except ValueError as error:
        fail(f"--status wants a status such as 404 or 4xx, not `{error}`", 2)
    return Selection(wanted, sample, limit)


def everything() -> Selection:
    from ..sight.selection import Selection, Wanted

    return Selection(Wanted())


def follow(hops: list[str], chosen: Selection, *, bodies: bool, events: bool) -> Iterator[dict[str, Any] | None]:
    """The records that were chosen, as they come, and None where for a moment none has. Ends at the limit, with Ctrl-C, or where
    the chain stops; the probes are gone then."""
    from ..sight.feed import Feed, FeedEndedError, RefusedError

    stop = threading.Event()
    try:
        with Feed(connection(), hops, bodies=bodies, events=events) as feed:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: _asked_to(stop))
            _say(f"Watching {', '.join(feed.hops)}; Ctrl-C ends it.")
            yield from _records(feed, chosen, stop)
    except NotRunningError:
        ask_running("status")  # it says that there is no chain
    except RefusedError as error:
        fail(str(error))
    except FeedEndedError as error:
        fail(str(error))
    except KeyboardInterrupt:
        return  # before there was anything to watch


def _records(feed: Feed, chosen: Selection, stop: threading.Event) -> Iterator[dict[str, Any] | None]:
    """None at once, since everything is watched now. Another hop of the last request may still have to tell of it."""
    yield None
    hops = feed.hops
    while not stop.is_set():
        if feed.hops != hops and feed.hops:
            hops = feed.hops
            _say(f"The chain was changed; now watching {', '.join(hops)}.")
        record = feed.next(_LAST_SECONDS if chosen.done and len(feed.hops) > 1 else _PAUSE_SECONDS)
        if record is None:
            yield None
            if chosen.done:
                return
            continue
        yield from chosen.feed(record)
        if chosen.done and len(feed.hops) == 1:
            return


def _say(sentence: str) -> None:
    typer.echo(typer.style(sentence, dim=True), err=True)


def _asked_to(stop: threading.Event) -> None:
    """The first time in good order; who asks again may wait for a terminal or a pipe that takes nothing more."""
    if stop.is_set():
        raise KeyboardInterrupt
    stop.set()
