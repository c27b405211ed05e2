"""`codex-shim model …`: the models that Codex can choose from, and which one it starts with."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from . import daily, pipeline
from .common import config_errors, fail, print_json, say_error, state

app = typer.Typer(no_args_is_help=True, help="The models that Codex can choose from.")
app.command("list")(daily.list_models)


@app.command()
def use(
    wanted: Annotated[str, typer.Argument(metavar="NAME", help="A slug, an upstream model id, or a part of one model's name.")],
    json: pipeline.Json = False,
) -> None:
    """Choose the model that Codex starts with, in the configuration that codex-shim keeps for it, and in your own one where
    `codex-shim enable` has led it here. Otherwise your own ~/.codex is not touched.

    Example: codex-shim model use composer-2-5
    """
    from ..codex import using
    from ..sources import read_files
    from .offers import find, look

    with config_errors():
        files = read_files(pipeline._options(), os.environ)
    offer = look(files)
    slug = find(wanted, files, offer)
    url = daily._base_url(files.pipeline.settings.listen)
    try:
        used = using.use(state.home, os.environ, offer.catalog, url, slug)
    except using.UseError as error:
        fail(str(error))
    if used.trouble:
        say_error(used.trouble)
    following = _next(slug, used.command(state.home))
    if json:
        print_json({"model": slug, "files": [[each.path, each.change] for each in used.written], "next": following})
        return
    for each in used.written:
        typer.echo(f"{each.change:<10} {each.path}")
    typer.echo(f"Codex starts with {slug} from now on. Next: {following}")


def _next(slug: str, codex: str) -> str:
    """What to type, depending on what runs."""
    from ..loopback import slugs

    running = pipeline.running_status()
    if not running["running"]:
        return "codex-shim start"
    return codex if slug in (slugs(running["url"]) or ()) else "codex-shim pipeline reload"
