"""`codex-shim model …`: the models that Codex can choose from, and which one it starts with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..settings.problems import ConfigError
from ..system import with_variable
from . import daily, own, pipeline
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
    from ..codex import files as writer
    from ..sources import read_files
    from .offers import find, look

    with config_errors():
        files = read_files(pipeline._options(), os.environ)
    offer = look(files)
    slug = find(wanted, files, offer)
    url = daily._base_url(files.pipeline.settings.listen)
    written = writer.write(state.home, offer.catalog, url, state.home.local_token(), model=slug)
    if broken := next((each for each in written if each.change.startswith("left")), None):
        fail(f"{broken.path} is not valid TOML, so no model can be set in it; mend it, or remove it and try again")
    if path := _use_in_own(slug, url):
        written.append(writer.Written(str(path), "updated"))
    following = _next(slug, led_here=path is not None or own.facts("")["leads_here"])
    if json:
        print_json({"model": slug, "files": [[each.path, each.change] for each in written], "next": following})
        return
    for each in written:
        typer.echo(f"{each.change:<10} {each.path}")
    typer.echo(f"Codex starts with {slug} from now on. Next: {following}")


def _use_in_own(slug: str, url: str) -> Path | None:
    """In the user's own configuration, where it is enabled, in the way in which it is: its path, if something had to change."""
    from ..codex.edit import EditError
    from ..codex.own_codex import sentence

    codex = own.own_codex()
    try:
        now = codex.look(url)
        if now is None or not now.mine or not codex.is_enabled:
            return None
        done = codex.connect(now.way, now.login, slug, url)
    except ConfigError as error:  # a Codex that cannot start asks nobody
        say_error(sentence(codex.path, error))
        return None
    except (EditError, OSError) as error:
        fail(sentence(codex.path, error))
    return done.path if done.changed else None


def _next(slug: str, *, led_here: bool) -> str:
    """What to type, depending on what runs."""
    from ..loopback import slugs

    running = pipeline.running_status()
    if not running["running"]:
        return "codex-shim start"
    if slug not in (slugs(running["url"]) or ()):
        return "codex-shim restart"
    return "codex" if led_here else with_variable("CODEX_HOME", str(state.home.codex_home), "codex")
