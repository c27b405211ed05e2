"""`codex-shim stage …`: one stage at a time, to write it, check it and debug it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from ..starters import Kind
from .common import config_errors, fail, print_json, print_table, state
from .pipeline import Json, running_status

app = typer.Typer(no_args_is_help=True, help="One stage: list, run by hand, check against the contract, write a new one.")

_NAME = re.compile(r"[a-z0-9-]+")


@app.command("list")
def list_stages(json: Json = False) -> None:
    """List the stages as your files describe them, in the order a request meets them, with what runs of them.

    Example: codex-shim stage list --json
    """
    rows, answer = _rows()
    if json:
        print_json({"running": answer["running"], "stages": rows})
        return
    columns = ("name", "what", "next", "state", "pid", "address")
    print_table([column.upper() for column in columns], [[str(row[column] or "-") for column in columns] for row in rows])


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="A stage of pipeline.toml, or an egress worker.")],
    next: Annotated[
        str | None,
        typer.Option(metavar="URL|demo", help="Run alone, beside whatever chain runs; send there, or to the demo model."),
    ] = None,
    port: Annotated[int, typer.Option(help="Without a chain: listen here; 0 takes a free port.", min=0, max=65535)] = 0,
    reload: Annotated[bool, typer.Option(help="Restart a script or a typed stage when its files change.")] = True,
) -> None:
    """Run one stage in this terminal, in its place in the running chain. Ctrl-C gives the place back.

    The terminal is the stage's own, so that breakpoint() works in Python, and print() shows at once. Without a running chain, or
    with --next, it runs alone. When the file of a script changes, or one of a typed stage, a new process takes over, and what
    streams finishes.

    Example: codex-shim stage run redact
    """
    from . import stage_run

    if next is None and running_status()["running"]:
        raise typer.Exit(stage_run.in_the_chain(name, reload=reload))
    raise typer.Exit(stage_run.alone(name, next, port, reload=reload))


@app.command()
def check(
    target: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME|URL|FILE|-- COMMAND", help="A stage of pipeline.toml, a URL, a program's file, or how it is started."
        ),
    ],
    json: Json = False,
    only: Annotated[list[str] | None, typer.Option(metavar="CHECK", help="This check only; may be given again.")] = None,
    next_port: Annotated[int | None, typer.Option(help="For a URL: the port it sends to; the check listens there.")] = None,
    token: Annotated[
        str | None, typer.Option(help="For a URL: the bearer token it asks for.", envvar="CODEX_SHIM_HOP_TOKEN")
    ] = None,
    patience: Annotated[float, typer.Option(help="Seconds to wait for anything.", min=0.1)] = 5.0,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a report for CI systems too, in JUnit's format.")
    ] = None,
) -> None:
    """Check one stage against the contract of a hop, between a caller and a next hop of the check's own.

    A stage of pipeline.toml, a file or a command is started for it, beside whatever chain runs; in a command {port}, {listen} and
    {next} are filled in. Exit code 0 when nothing failed, 1 otherwise.

    Example: codex-shim stage check -- ./redact --port {port} --upstream {next}
    """
    from . import stage_check

    options = [f"--patience={patience:g}", *(f"--only={check}" for check in only or []), *(["--json"] if json else [])]
    options += [f"--junit={junit.expanduser().absolute()}"] if junit else []
    if len(target) > 1:
        raise typer.Exit(stage_check.command(target, options))
    (wanted,) = target
    if wanted.startswith(("http://", "https://")):
        raise typer.Exit(stage_check.url(wanted, next_port, token, options))
    if next_port is not None:
        fail("--next-port is for a URL; what is started here is told itself where to send", 2)
    if _is_file(wanted):
        raise typer.Exit(stage_check.file(Path(wanted).expanduser().absolute(), options))
    raise typer.Exit(stage_check.name(wanted, options))


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and `-`.")],
    kind: Annotated[Kind, typer.Option(help="A plain Python file, a typed Python stage, or a Node.js program.")] = "script",
    into: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write it; stages/ in the codex-shim home.")] = None,
) -> None:
    """Write a working starting point for a stage of your own, with a test, and show the lines that put it into the chain.

    Example: codex-shim stage new redact --kind node
    """
    from ..starters import starter

    if not _NAME.fullmatch(name):
        fail(f"`{name}` cannot be a name; use lower-case letters, digits and `-`", 2)
    folder = into.expanduser().absolute() if into else state.home.root / "stages"
    made = starter(kind, name, folder)
    for path, content in made.files.items():
        _write(path, content)
    own = state.pipeline or state.home.pipeline
    wrote = " and ".join(map(str, made.files))
    typer.echo(f"Wrote {wrote}. Put this into {own}, where it belongs in the chain:\n\n{made.table}")
    hint = "" if own.exists() else f" (`codex-shim pipeline init` writes {own.name} first)"
    typer.echo(f"Then `codex-shim pipeline test`, `codex-shim stage check {name}` and `codex-shim pipeline reload`{hint}.")


def _write(path: Path, content: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        fail(f"{path} exists already; it was left as it is")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}")


def _rows() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The files' stages, each with the running one of its name."""
    from ..graph import nodes
    from ..sources import read_files
    from .offers import offered
    from .pipeline import _options

    with config_errors():
        files = read_files(_options(), os.environ)
    graph = nodes(files.pipeline, files.workers, offered(files))
    answer = running_status()
    running = {stage["name"]: stage for stage in answer["stages"]}
    workers = ", ".join(name for name, _ in graph.egress) or None
    following = [name for name, _ in graph.chain[1:]] + [workers]
    found = [(name, what, after) for (name, what), after in zip(graph.chain, following, strict=True)]
    found += [(name, f"egress for {', '.join(slugs)}", None) for name, slugs in graph.egress]
    absent = {"state": "not in the running chain" if answer["running"] else "not running", "pid": None, "address": None}
    shown = ("state", "pid", "address")
    return [
        {"name": name, "what": what, "next": after, **{key: running.get(name, absent)[key] for key in shown}}
        for name, what, after in found
    ], answer


def _is_file(target: str) -> bool:
    """A name of a stage has no dots and no slashes."""
    return not _NAME.fullmatch(target)
