"""`codex-shim pipeline trace` and `pipeline top`: what requests took, one by one and all together."""

from __future__ import annotations

import queue
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .. import loopback
from ..control import NotRunningError
from .common import ask_running, connection, fail, print_json, print_table, state

if TYPE_CHECKING:
    from ..traces.top import Top, Window
    from ..traces.trace import Trace

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

_COLOURS = {"gap": "bright_black", "upstream": "magenta", "stage": "cyan"}
_CLEAR = "\x1b[H\x1b[2J"
_FIRST_SECONDS = 0.4  # what the chain remembers comes at once, and is in the first picture


def trace(
    request: Annotated[str, typer.Argument(metavar="[ID]", help="The beginning of a request's id, or `last`.")] = "last",
    list_: Annotated[bool, typer.Option("--list", help="Show the latest requests, one line each.")] = False,
    count: Annotated[int, typer.Option("--count", "-n", help="How many --list shows.", min=1)] = 20,
    json: Json = False,
) -> None:
    """Draw what one request took at each hop: before the first byte, per chunk, and at the end.

    The running chain remembers the last 200 requests, without anything of their content. Every error names its request.

    Example: codex-shim pipeline trace last
    """
    if list_:
        _list(ask_running("traces", latest=count)["traces"], json=json)
        return
    told = ask_running("traces", id=request)["trace"]
    if json:
        print_json(told)
    else:
        _draw(_read(told))


def top(
    once: Annotated[bool, typer.Option("--once", help="Show it once and end.")] = False,
    seconds: Annotated[float, typer.Option(help="How far to look back.", min=1, max=3600)] = 60.0,
    json: Json = False,
) -> None:
    """Show what goes through the chain, per hop and per model, and go on each second.

    ADDED is what a hop added before the first byte; RUNNING is what it has under way. Only the last 200 requests count.

    Example: codex-shim pipeline top --once --json
    """
    from ..traces.top import Window

    window = Window(seconds)
    try:
        if once:
            for told in ask_running("traces", latest=500)["traces"]:
                window.add(_read(told))
            _show(window.top(time.time(), _running()), json=json, again=False)
        else:
            _go_on(window, json=json)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


# -- trace ------------------------------------------------------------------------------------------------------------


def _list(told: list[dict[str, Any]], *, json: bool) -> None:
    from ..traces.waterfall import LIST_HEADINGS, summary

    if json:
        print_json(told)
    elif told:
        print_table(LIST_HEADINGS, [summary(_read(each)) for each in told])
    else:
        typer.echo("No request has ended since the chain was started.", err=True)


def _draw(told: Trace) -> None:
    from ..traces.waterfall import HEADINGS, WIDTH, room_for_bars, rows, sentences

    for sentence in sentences(told):
        typer.echo(typer.style(sentence, fg="red") if sentence.startswith("error: ") else sentence)
    plain = rows(told)
    width = room_for_bars(shutil.get_terminal_size().columns, [*plain, HEADINGS]) if sys.stdout.isatty() else WIDTH
    coloured = [
        [*cells[:-1], typer.style(cells[-1], fg="red" if hop.outcome == "failed" else _COLOURS[hop.kind])]
        for hop, cells in zip(told.hops, rows(told, width), strict=True)
    ]
    print_table(HEADINGS, coloured)


def _read(told: dict[str, Any]) -> Trace:
    import msgspec

    from ..traces.trace import Trace

    return msgspec.convert(told, Trace)


# -- top --------------------------------------------------------------------------------------------------------------


def _go_on(window: Window, *, json: bool) -> None:
    """A thread listens, so that the picture is renewed also where nothing happens."""
    heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    told = _listening()
    threading.Thread(target=_hear, args=(told, heard), daemon=True).start()
    _take(heard, window, _FIRST_SECONDS)
    while True:
        _show(window.top(time.time(), _running()), json=json, again=True)
        _take(heard, window, 1.0)


def _take(heard: queue.SimpleQueue[dict[str, Any] | None], window: Window, seconds: float) -> None:
    """What is heard within so long."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            message = heard.get(timeout=left)
        except queue.Empty:
            return
        if message is None:
            fail("the chain was stopped")
        window.add(_read(message["trace"]))


def _listening() -> Iterator[dict[str, Any]]:
    ask_running("status")  # says so where no chain runs
    return connection().ask("traces", latest=500, follow=True)


def _hear(told: Iterator[dict[str, Any]], heard: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    try:
        for message in told:
            heard.put(message)
    except (NotRunningError, OSError, ValueError):
        pass
    heard.put(None)


def _running() -> dict[str, int | None]:
    """What each stage has under way, in the order a request meets them. One that sleeps is not woken by the question."""
    found: dict[str, int | None] = {}
    for stage in ask_running("status")["stages"]:
        awake = stage["state"] == "ready" and stage["kind"] == "module"
        told = loopback.get(f"http://{stage['address']}", "/health", 0.5) if awake else None
        running = told.get("running") if told else None
        found[stage["name"]] = running if isinstance(running, int) else None
    return found


def _show(told: Top, *, json: bool, again: bool) -> None:
    if json:
        import msgspec

        print_json(msgspec.to_builtins(told)) if not again else typer.echo(msgspec.json.encode(told).decode())
        return
    from ..traces.tables import HOP_HEADINGS, MODEL_HEADINGS, headline, hop_rows, model_rows

    if again and sys.stdout.isatty():
        typer.echo(_CLEAR, nl=False)
    typer.echo(f"{headline(told)}  ({state.home.root})")
    print_table(HOP_HEADINGS, hop_rows(told))
    typer.echo()
    print_table(MODEL_HEADINGS, model_rows(told))
    if again and not sys.stdout.isatty():
        typer.echo()
