"""`codex-shim model add` and `model remove`: rows of models.json, without an editor."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from . import model_questions, pipeline
from .common import config_errors, fail, print_json, state

if TYPE_CHECKING:
    from ..models_file import Changed, ModelsFile

_USAGE = 2
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UPPER = re.compile(r"[A-Z_][A-Z0-9_]*")


def add(
    provider: Annotated[str | None, typer.Argument(help="A provider of `codex-shim list --providers`.")] = None,
    model: Annotated[str | None, typer.Argument(help="The model, by the name that the provider knows.")] = None,
    key_env: Annotated[str | None, typer.Option(metavar="NAME", help="The environment variable that holds the key.")] = None,
    key_command: Annotated[str | None, typer.Option(metavar="CMD", help="A program that prints the key; no shell.")] = None,
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="The server, up to and including /v1.")] = None,
    slug: Annotated[str | None, typer.Option(help="The name that Codex shows and sends; else made from the model's.")] = None,
    name: Annotated[str | None, typer.Option(help="The name in the picker.")] = None,
    json: pipeline.Json = False,
) -> None:
    """Add a model to models.json. What is not said is asked for, in a terminal; a key that is typed there is not shown. The file
    keeps its layout, and a dated copy of it is kept.

    Example: codex-shim model add deepseek deepseek-chat --key-env DEEPSEEK_API_KEY
    """
    if key_env and key_command:
        fail("--key-env and --key-command are two ways to give one key; keep one", _USAGE)
    with _problems_of_the_file():
        file, presets = _file()
        asks = model_questions.can_ask()
        provider = _provider(provider, presets, asks=asks)
        model = model or (model_questions.model() if asks else _lacking())
        base_url = base_url or _base_url(presets[provider], provider, asks=asks)
        key = _key(key_env, key_command, presets[provider], base_url, asks=asks)
        row = {"model": model, "provider": provider, "base_url": base_url, "slug": slug, "display_name": name, **key}
        row = {each: value for each, value in row.items() if value}
        done = file.add(row, os.environ)
    unset = _unset(row, presets[provider], base_url)
    following = "codex-shim pipeline reload" if pipeline.running_status()["running"] else "codex-shim start"
    if json:
        told = {"slug": done.slug, "model": model, "provider": provider, "key_stored": "api_key" in row}
        print_json({**told, **_facts(done), "unset": unset, "next": following})
        return
    typer.echo(f"added     {done.slug} to {done.path}")
    _say_backup(done)
    if "api_key" in row:
        _warn(f"the key stands in {done.path}, readable by you alone; a variable or a command keeps it out of files")
    if unset:
        _warn(f"{unset} is not set here: without it, where the chain is started, the model is left out")
    typer.echo(f"next      {following}, then codex-shim model test {done.slug}")


def remove(
    wanted: Annotated[str, typer.Argument(metavar="NAME", help="A slug, an upstream model id, or a part of one model's name.")],
    json: pipeline.Json = False,
) -> None:
    """Take a model out of models.json. The file keeps its layout, and a dated copy of it is kept.

    Example: codex-shim model remove deepseek-chat
    """
    from ..codex.choice import Candidate, ChoiceError, find
    from ..codex.files import chosen

    with _problems_of_the_file():
        file, _ = _file()
        known = [Candidate(slug=row.slug, model=row.model, name=row.name) for row in file.rows() if row.slug]
        try:
            found = find(wanted, known)
        except ChoiceError as error:
            _refuse_subscribed(wanted)
            fail(str(error) if known else f"{file.path} holds no model that could be removed")
        done = file.remove(found.slug)
    was_chosen = chosen(state.home.codex_config) == found.slug
    following = "codex-shim pipeline reload" if pipeline.running_status()["running"] else None
    if json:
        print_json({"slug": found.slug, "model": found.model, **_facts(done), "was_chosen": was_chosen, "next": following})
        return
    typer.echo(f"removed   {found.slug} ({found.name}) from {done.path}")
    _say_backup(done)
    for old, new in done.renamed.items():
        _warn(f"the model `{old}` is called `{new}` from now on")
    if was_chosen:
        _warn("Codex has started with this model; choose another with `codex-shim model use NAME`")
    if following:
        typer.echo(f"next      {following}")


# -- what is not said -------------------------------------------------------------------------------------------------


def _provider(said: str | None, presets: Mapping[str, Any], *, asks: bool) -> str:
    from ..settings.problems import did_you_mean

    if said is None:
        return model_questions.provider(presets) if asks else _lacking()
    if said.lower() not in presets:
        hint = did_you_mean(said, presets) or "; `codex-shim list --providers` shows them"
        fail(f"there is no provider named `{said}`{hint}")
    return said.lower()


def _base_url(preset: Any, provider: str, *, asks: bool) -> str | None:
    """Only where the provider is no more than a language."""
    if not preset.base_url and not asks:
        fail(f"`{provider}` is a language that many servers speak: name the server with --base-url", _USAGE)
    return None if preset.base_url else model_questions.base_url()


def _key(env: str | None, command: str | None, preset: Any, base_url: str | None, *, asks: bool) -> dict[str, str]:
    """The part of the row that says where the key comes from."""
    if env:
        return {} if env == _usual(preset, base_url) else {"api_key_env": _checked(env)}
    if command:
        return {"api_key_command": command}
    if _is_local(base_url or preset.base_url):
        return {}
    usual = _usual(preset, base_url)
    if asks:
        given = model_questions.key(usual, os.environ, str(state.settings))
        return {**given, "api_key_env": _checked(given["api_key_env"])} if "api_key_env" in given else given
    if usual is None:
        fail("where does the key come from? Name it with --key-env NAME or --key-command CMD", _USAGE)
    return {}


def _checked(variable: str) -> str:
    """Who gives the key itself where its variable's name belongs does not find it in the file, nor on the terminal."""
    if not _VARIABLE.fullmatch(variable) or not (os.environ.get(variable) or _UPPER.fullmatch(variable)):
        fail("that is not the name of an environment variable, like DEEPSEEK_API_KEY; the key itself does not belong there", _USAGE)
    return variable


def _usual(preset: Any, base_url: str | None) -> str | None:
    """The provider's usual variable, where it counts: for the provider's own host."""
    from ..settings.base_url import host

    return preset.key_env if base_url is None or preset.owns(host(base_url)) else None


def _is_local(url: str | None) -> bool:
    from ..settings import base_url

    return bool(url) and base_url.is_local(str(url))


def _unset(row: Mapping[str, Any], preset: Any, base_url: str | None) -> str | None:
    """The variable that the row needs and that is not set here."""
    if row.get("api_key") or row.get("api_key_command") or (not row.get("api_key_env") and _is_local(base_url or preset.base_url)):
        return None
    variable = row.get("api_key_env") or _usual(preset, base_url)
    return None if variable is None or os.environ.get(variable) else variable


def _lacking() -> NoReturn:
    sentence = "name the provider and the model: `codex-shim model add PROVIDER MODEL`"
    fail(f"{sentence}; `codex-shim list --providers` shows the providers", _USAGE)


# -- what cannot be removed -------------------------------------------------------------------------------------------


def _refuse_subscribed(wanted: str) -> None:
    """Ends the command where a model of a subscription is meant."""
    from ..logins import chatgpt, cursor
    from ..logins.state import TITLES
    from ..sources import read_files
    from ..subscriptions import CHATGPT
    from .offers import offered

    files = read_files(pipeline._options(), os.environ, lambda _: "")
    model = next((each for each in offered(files) if each.subscription and wanted in (each.slug, each.target)), None)
    if model is None:
        return
    switch = chatgpt.SWITCH if model.subscription == CHATGPT else cursor.SWITCH
    title = TITLES[model.subscription]
    fail(f"`{model.slug}` comes with a login ({title}), not from models.json; with {switch}=1 the chain starts without all of its")


# -- shared -----------------------------------------------------------------------------------------------------------


def _file() -> tuple[ModelsFile, Mapping[str, Any]]:
    """models.json, and the providers that its rows may name."""
    from ..models_file import ModelsFile
    from ..settings import provider_file

    presets = provider_file.load(state.home.providers)
    return ModelsFile(state.settings, state.home, presets), presets


@contextmanager
def _problems_of_the_file() -> Iterator[None]:
    from ..models_file import EditError, RowError

    with config_errors():
        try:
            yield
        except RowError as error:
            fail(f"{error}; nothing was written")
        except EditError as error:
            fail(f"{state.settings}: {error}; nothing was written")


def _facts(done: Changed) -> dict[str, Any]:
    return {"file": str(done.path), "backup": str(done.backup) if done.backup else None, "renamed": done.renamed}


def _say_backup(done: Changed) -> None:
    if done.backup:
        typer.echo(f"backup    {done.backup}")


def _warn(sentence: str) -> None:
    typer.echo(typer.style("note: ", fg="yellow") + sentence, err=True)
