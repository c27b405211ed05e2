"""`codex-shim model …`: the models that Codex can choose from, and which one it starts with."""

from __future__ import annotations

import os
from shlex import quote
from typing import Annotated, Any

import typer

from . import daily, pipeline
from .common import config_errors, fail, print_json, state

app = typer.Typer(no_args_is_help=True, help="The models that Codex can choose from.")
app.command("list")(daily.list_models)


@app.command()
def use(
    wanted: Annotated[str, typer.Argument(metavar="NAME", help="A slug, an upstream model id, or a part of one model's name.")],
    json: pipeline.Json = False,
) -> None:
    """Choose the model that Codex starts with, in the configuration that codex-shim keeps for it. Your own ~/.codex is not touched.

    Example: codex-shim model use composer-2-5
    """
    from ..codex import files as writer
    from ..sources import read_files
    from .offers import look

    with config_errors():
        files = read_files(pipeline._options(), os.environ)
    offer = look(files)
    slug = _find(wanted, files, offer)
    url = daily._base_url(files.pipeline.settings.listen)
    written = writer.write(state.home, offer.catalog, url, state.home.local_token(), model=slug)
    if broken := next((each for each in written if each.change.startswith("left")), None):
        fail(f"{broken.path} is not valid TOML, so no model can be set in it; mend it, or remove it and try again")
    following = _next(slug)
    if json:
        print_json({"model": slug, "files": [[each.path, each.change] for each in written], "next": following})
        return
    for each in written:
        typer.echo(f"{each.change:<10} {each.path}")
    typer.echo(f"Codex starts with {slug} from now on. Next: {following}")


def _find(wanted: str, files: Any, offer: Any) -> str:
    """The slug that is meant; ends the command with the reason where there is none."""
    from ..codex.choice import Candidate, ChoiceError, find

    own = [Candidate(slug=row.slug, model=row.model, name=row.display_name) for row in files.rows]
    subscribed = [Candidate(slug=row["slug"], model=row["model"], name=row["name"]) for row in offer.subscribed()]
    known = own + subscribed
    if not known:
        known = [Candidate(**{key: daily._DEMO[key] for key in ("slug", "model", "name")})]
    try:
        return find(wanted, known).slug
    except ChoiceError as error:
        fail(_not_usable(wanted, offer) or str(error))


def _not_usable(wanted: str, offer: Any) -> str | None:
    """For a model of a subscription that cannot be used at this moment: why, and what to do."""
    model = next((each for each in offer.offering.offered if wanted in (each.slug, each.target) and each.subscription), None)
    if model is None or model.subscription not in offer.states or offer.states[model.subscription].usable:
        return None
    return f"`{wanted}` is not on offer: {offer.states[model.subscription].reason}"


def _next(slug: str) -> str:
    """What to type, depending on what runs."""
    from ..loopback import slugs

    running = pipeline.running_status()
    if not running["running"]:
        return "codex-shim start"
    if slug not in (slugs(running["url"]) or ()):
        return "codex-shim restart"
    return f"CODEX_HOME={quote(str(state.home.codex_home))} codex"
