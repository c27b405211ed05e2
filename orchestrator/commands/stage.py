"""`codex-shim stage …`: one stage at a time, to write it, check it and debug it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from ..starters import Kind
from . import stage_check, stage_run
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
    next: Annotated[str | None, typer.Option(help="Run alone and send to this URL, beside whatever chain runs.")] = None,
    port: Annotated[int, typer.Option(help="Without a chain: listen here; 0 takes a free port.", min=0, max=65535)] = 0,
) -> None:
    """Run one stage in this terminal, in its place in the running chain. Ctrl-C gives the place back.

    The terminal is the stage's own, so that breakpoint() works in Python, and print() shows at once. Without a running chain, or
    with --next, it runs alone.

    Example: codex-shim stage run redact
    """
    if next is None and running_status()["running"]:
        raise typer.Exit(stage_run.in_the_chain(name))
    raise typer.Exit(stage_run.alone(name, next, port))


@app.command()
def check(
    target: Annotated[str, typer.Argument(metavar="NAME|URL|FILE", help="A stage of pipeline.toml, a URL, or a program's file.")],
    json: Json = False,
    only: Annotated[list[str] | None, typer.Option(metavar="CHECK", help="This check only; may be given again.")] = None,
    next_port: Annotated[int | None, typer.Option(help="For a URL: the port it sends to; the check listens there.")] = None,
    token: Annotated[
        str | None, typer.Option(help="For a URL: the bearer token it asks for.", envvar="CODEX_SHIM_HOP_TOKEN")
    ] = None,
    patience: Annotated[float, typer.Option(help="Seconds to wait for anything.", min=0.1)] = 5.0,
) -> None:
    """Check one stage against the contract of a hop, between a caller and a next hop of the check's own.

    A stage of pipeline.toml or a file is started for it, beside whatever chain runs. Exit code 0 when nothing failed, 1 otherwise.

    Example: codex-shim stage check redact
    """
    options = [f"--patience={patience:g}", *(f"--only={check}" for check in only or []), *(["--json"] if json else [])]
    if target.startswith(("http://", "https://")):
        raise typer.Exit(stage_check.url(target, next_port, token, options))
    if next_port is not None:
        fail("--next-port is for a URL; what is started here is told itself where to send", 2)
    if _is_file(target):
        raise typer.Exit(stage_check.file(Path(target).expanduser().absolute(), options))
    raise typer.Exit(stage_check.name(target, options))


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and `-`.")],
    kind: Annotated[Kind, typer.Option(help="A plain Python file, a typed Python stage, or a Node.js program.")] = "script",
    into: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write it; stages/ in the codex-shim home.")] = None,
) -> None:
    """Write a working starting point for a stage of your own, and show the lines that put it into the chain.

    Example: codex-shim stage new redact --kind node
    """
    from ..starters import starter

    if not _NAME.fullmatch(name):
        fail(f"`{name}` cannot be a name; use lower-case letters, digits and `-`", 2)
    folder = into.expanduser().absolute() if into else state.home.root / "stages"
    made = starter(kind, name, folder)
    try:
        made.path.parent.mkdir(parents=True, exist_ok=True)
        with made.path.open("x", encoding="utf-8") as file:
            file.write(made.content)
    except FileExistsError:
        fail(f"{made.path} exists already; it was left as it is")
    except OSError as error:
        fail(f"{made.path} cannot be written: {error.strerror}")
    own = state.pipeline or state.home.pipeline
    typer.echo(f"Wrote {made.path}. Put this into {own}, where it belongs in the chain:\n\n{made.table}")
    hint = "" if own.exists() else f" (`codex-shim pipeline init` writes {own.name} first)"
    typer.echo(f"Then `codex-shim stage check {name}` and `codex-shim restart`{hint}.")


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
