"""The commands of every day, without a group: start, stop, restart, status, list, generate."""

from __future__ import annotations

import os
from typing import Annotated, Any

import msgspec
import typer

from ..control import NotRunningError
from ..system import with_variable
from . import own, pipeline, service
from .common import FAILED, config_errors, connection, fail, print_json, print_table, state


def start(port: pipeline.Port = None) -> None:
    """Write Codex's files and start the chain in the background.

    Example: codex-shim start
    """
    running = pipeline.running_status()
    if running["running"]:
        typer.echo(f"The chain is running already at {running['url']} (pid {running['pid']}).")
        _say(own.refresh(running["url"]))
        return
    _begin(port)


def stop() -> None:
    """Stop the chain; streams that are under way may finish first.

    Example: codex-shim stop
    """
    _halt()
    own.say_left_behind()


def restart(port: pipeline.Port = None) -> None:
    """Stop the chain, read the files again, and start it. For most changes `codex-shim pipeline reload` is enough, which lets
    streams go on.

    Example: codex-shim restart
    """
    _halt(again=True)
    _begin(port)


def _begin(port: int | None) -> None:
    """As the service, where one is installed; a port of its own is not for that."""
    if port is not None or not service.start():
        pipeline.up(detach=True, port=port)


def _halt(*, again: bool = False) -> None:
    if service.stop(again=again):
        return
    if pipeline.running_status()["running"]:
        pipeline.bring_down()
    else:
        typer.echo("No chain is running.")


def status(json: pipeline.Json = False) -> None:
    """Show whether the chain runs, each stage, and whether your own Codex leads to it.

    Example: codex-shim status
    """
    pipeline.status(json=json)


def list_models(
    json: pipeline.Json = False,
    providers: Annotated[bool, typer.Option("--providers", help="List the providers that a row can name instead.")] = False,
) -> None:
    """List the models on offer: slug, name, provider, and how the key was given. Rows that cannot work, and subscriptions that are
    not logged in, are named with the reason.

    Example: codex-shim list
    """
    from ..offer import DEMO_ROW
    from ..sources import read_files
    from .offers import look

    if providers:
        _list_providers(json)
        return
    with config_errors():
        files = read_files(pipeline._options(), os.environ)
    served = {row.slug: worker.name for worker in files.workers for row in worker.rows}
    found: list[dict[str, Any]] = [
        {
            "slug": row.slug,
            "name": row.display_name,
            "model": row.model,
            "provider": row.provider,
            "base_url": row.base_url,
            "egress": served[row.slug],
            "key": row.key_source,
            "source": "models.json",
        }
        for row in files.rows
    ]
    offer = look(files)
    found = found + offer.virtual() + offer.subscribed() or [dict(DEMO_ROW)]
    if json:
        print_json({"models": found, "problems": files.row_problems, "not_on_offer": offer.not_on_offer()})
    else:
        columns = ("slug", "name", "model", "provider", "key")
        print_table([column.upper() for column in columns], [[str(row[column]) for column in columns] for row in found])
    for problem in files.row_problems:
        typer.echo(typer.style("problem: ", fg="yellow") + problem, err=True)
    for each in offer.not_on_offer():
        typer.echo(typer.style("not on offer: ", fg="yellow") + f"{each['title']}: {each['reason']}", err=True)
    if files.row_problems and not files.rows:
        raise typer.Exit(FAILED)


def _list_providers(json: bool) -> None:
    """Those of the packaged file and of the user's own."""
    from ..settings import provider_file

    with config_errors():
        presets = provider_file.load(state.home.providers)
    fields = ("dialect", "base_url", "key_env", "context", "images")
    rows = [{"name": name, **{field: getattr(preset, field) for field in fields}} for name, preset in presets.items()]
    if json:
        print_json({"providers": rows})
    else:
        columns = ("name", "dialect", "base_url", "key_env", "context")
        shown = [[str(row[column] or "-") for column in columns] for row in rows]
        print_table([column.upper().replace("_", " ") for column in columns], shown)


def generate(json: pipeline.Json = False) -> None:
    """Write the model catalog and a Codex configuration under the codex-shim home, and say which models came, went or changed. Your
    own ~/.codex is touched only where `codex-shim enable` has written into it, and that is out of date.

    Example: codex-shim generate && CODEX_HOME=~/.codex-shim/codex-home codex
    """
    from ..codex import catalog, changes
    from ..codex import files as writer
    from ..sources import read_files
    from .offers import look

    with config_errors():
        files = read_files(pipeline._options(), os.environ)
    offer = look(files)
    entries, source = offer.catalog, offer.prompt_source
    changed = changes.compare(writer.entries(state.home.catalog), entries)
    url = _base_url(files.pipeline.settings.listen)
    written = writer.write(state.home, entries, url, state.home.local_token(), choosable=offer.offering.choosable)
    followed = own.refresh(url)
    if json:
        told = {"models": [entry["slug"] for entry in entries], "prompt": source, "files": [[w.path, w.change] for w in written]}
        print_json({**told, "changes": msgspec.to_builtins(changed), "codex": followed})
        return
    for each in written:
        typer.echo(f"{each.change:<10} {each.path}")
    for line in changes.lines(changed):
        typer.echo(f"  {line}")
    typer.echo(f"{len(entries)} model{'s' if len(entries) != 1 else ''}; base prompt from {source}.")
    if len(entries) > catalog.LISTED:
        typer.echo(f"Codex's picker shows the first {catalog.LISTED}; the others are used by their slug: `model use`, `codex -m`.")
    modified = "" if followed else " No files under ~/.codex were modified."
    typer.echo(f"Use it with {with_variable('CODEX_HOME', str(state.home.codex_home), 'codex')}.{modified}")
    _say(followed)
    for problem in files.row_problems:
        typer.echo(typer.style("problem: ", fg="yellow") + problem, err=True)


def _say(sentence: str | None) -> None:
    if sentence:
        typer.echo(sentence)


def version(
    show: Annotated[bool, typer.Option("--version", help="Show the version and end.", is_eager=True)] = False,
) -> None:
    if show:
        from importlib.metadata import version as installed

        typer.echo(f"codex-shim {installed('codex-shim')}")
        raise typer.Exit(0)


def _base_url(listen: str) -> str:
    """Where the running chain is, else where it would be."""
    try:
        answer = connection().ask_once("status")
    except NotRunningError:
        return f"http://{listen}/v1"
    if not answer.get("ok"):
        fail(str(answer.get("error")))
    return str(answer["url"])
