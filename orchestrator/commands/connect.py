"""`codex-shim enable` and `disable`: the user's own Codex leads to the chain, and back.

Rule of this file: their file is written last, when everything that could fail has not, and never with an address where nobody is.
"""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from . import own, pipeline
from .common import FAILED, config_errors, fail, print_json, say_error, state


def enable(
    keep_threads: Annotated[
        bool | None,
        typer.Option("--keep-threads/--own-provider", help="Keep the chats of Codex's built-in provider listed. Stays as chosen."),
    ] = None,
    keep_login: Annotated[
        bool | None,
        typer.Option("--keep-login/--no-login", help="Let our provider have Codex's ChatGPT login. Stays as chosen."),
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="The model to start with, as for `model use`.")] = None,
    json: pipeline.Json = False,
) -> None:
    """Lead your own Codex, CLI and Desktop, to the chain: `config.toml` gets a few lines, and keeps everything else to the byte.
    `disable` takes them back.

    Example: codex-shim enable --keep-threads
    """
    from ..codex.edit import EditError
    from ..codex.own_codex import sentence

    codex = own.own_codex()
    try:
        with config_errors():
            files, offer, slug, way, login = _plan(codex, keep_threads, keep_login, model)
            codex.rehearse(way, login, slug, "http://127.0.0.1:8765/v1")
            url = _running_url()
            _write_ours(offer, slug, url)
            done = codex.connect(way, login, slug, url)
    except (EditError, OSError) as error:
        fail(f"{sentence(codex.path, error)}; nothing was written there")
    warnings = [*_port_warning(files, url), *_serving_warning(slug, url), *_listing_warning(offer, login), *_readers_warning(codex)]
    if json:
        print_json({**_facts(done), "way": way, "login": login, "model": slug, "url": url, "kept": done.kept, "warnings": warnings})
        return
    _say_enabled(done, slug, url)
    for warning in warnings:
        typer.echo(typer.style("warning: ", fg="yellow") + warning, err=True)


def disable(json: pipeline.Json = False) -> None:
    """Take back what `enable` has written into your own Codex configuration. What you and Codex have changed since stays.

    Example: codex-shim disable
    """
    from ..codex.edit import EditError
    from ..codex.own_codex import sentence

    codex = own.own_codex()
    try:
        with config_errors():
            done = codex.disconnect()
            left = codex.by_hand() if done.now else []
    except (EditError, OSError) as error:
        fail(f"{sentence(codex.path, error)}; nothing was written there. Earlier states of it are in {state.home.backups}")
    if json:
        print_json({**_facts(done), "put_back": done.back, "chosen_since": done.chosen, "by_hand": [list(each) for each in left]})
    else:
        _say_disabled(done)
    if left:
        _say_by_hand(codex.path, left)
        raise typer.Exit(FAILED)


# -- what is to be set ------------------------------------------------------------------------------------------------


def _plan(codex: Any, keep_threads: bool | None, keep_login: bool | None, model: str | None) -> tuple[Any, Any, str, Any, bool]:
    """What was read, what is on offer, the model, and the way; where nothing is said of the way, it stays."""
    from ..sources import read_files
    from .offers import look

    now = codex.look()
    files = read_files(pipeline._options(), os.environ)
    offer = look(files)
    threads = keep_threads if keep_threads is not None else now is not None and now.way == "threads"
    login = keep_login if keep_login is not None else now is not None and now.login
    return files, offer, _model(model, files, offer, now), "threads" if threads else "provider", login and not threads


def _model(wanted: str | None, files: Any, offer: Any, now: Any) -> str:
    """The one that is named, else the one that is chosen already, there or by `model use`, else the first."""
    from ..codex.files import chosen
    from .offers import find

    if wanted is not None:
        return find(wanted, files, offer)
    listed: list[str] = offer.offering.listed(offer.advertised)
    wishes = (now.model if now else None, chosen(state.home.codex_config))
    return next((each for each in wishes if each is not None and each in listed), listed[0])


def _running_url() -> str:
    """Where the chain is, after starting it where it was not. Ends the command where nobody would answer Codex there."""
    from ..loopback import is_there

    running = pipeline.running_status()
    if not running["running"]:
        typer.echo("No chain is running yet. Starting one:", err=True)
        pipeline.bring_up(detach=True, port=None)
        running = pipeline.running_status()
    url = str(running.get("url", ""))
    if not url or not is_there(url):
        where = f"nobody answers at {url}" if url else "the chain went away again"
        fail(f"{where}, so Codex was not led there; `codex-shim doctor` tells why")
    return url


def _write_ours(offer: Any, slug: str, url: str) -> None:
    """The catalog, and our own configuration with the same model."""
    from ..codex import files as writer

    writer.write(state.home, offer.catalog, url, state.home.local_token(), model=slug)


# -- what is said -----------------------------------------------------------------------------------------------------


def _facts(done: Any) -> dict[str, Any]:
    other = {"other_home": str(done.other)} if done.other else {}
    return {"config": str(done.path), "changed": done.changed, "backup": str(done.backup) if done.backup else None, **other}


def _say_enabled(done: Any, slug: str, url: str) -> None:
    if not done.changed:
        typer.echo(f"{done.path} leads to {url} already, with the model {slug}. Nothing was changed.")
        return
    now = done.now
    typer.echo(f"Your Codex leads to {url} {own.how(now.way, now.login)}, and starts with the model {slug}.")
    typer.echo(f"changed   {done.path}")
    if done.kept:
        typer.echo(f"kept      {', '.join(done.kept)}: there as comments, until `codex-shim disable`")
    _say_backup(done)
    _say_other(done)
    typer.echo("undo      codex-shim disable")
    typer.echo("Quit Codex Desktop and open sessions, and start them again: they read this only when they start.")
    if now.way == "provider":
        typer.echo("Chats of other providers are out of sight meanwhile; `codex-shim enable --keep-threads` keeps them listed.")
    if now.login:
        typer.echo("Codex asks for its ChatGPT login where there is none.")


def _say_disabled(done: Any) -> None:
    if not done.changed:
        if not done.now:
            typer.echo(f"{done.path} does not lead to codex-shim. Nothing was changed.")
        return
    typer.echo(f"Your Codex does without codex-shim again: {done.path} has none of its lines any more.")
    if done.back:
        typer.echo(f"put back  {', '.join(done.back)}")
    if done.chosen:
        typer.echo(f"left      {', '.join(done.chosen)}: set anew since `codex-shim enable`")
    _say_backup(done)
    _say_other(done)
    typer.echo("redo      codex-shim enable")
    typer.echo("Quit Codex Desktop and open sessions, and start them again. The chain is as it was; `codex-shim stop` stops it.")


def _say_backup(done: Any) -> None:
    if done.backup:
        typer.echo(f"backup    {done.backup}")


def _say_other(done: Any) -> None:
    if done.other:
        typer.echo(f"left      the chain of {done.other}, to which it led before")


def _say_by_hand(path: Path, left: list[tuple[str, int, int]]) -> None:
    say_error(f"{path} leads to codex-shim by lines that `codex-shim enable` has not written; remove them by hand:")
    for name, first, last in left:
        lines = f"line {first}" if first == last else f"lines {first} to {last}"
        typer.echo(f"  {lines}: {name}", err=True)


# -- what may go wrong later ------------------------------------------------------------------------------------------


def _port_warning(files: Any, url: str) -> list[str]:
    """After its next start the chain would be elsewhere. Codex would follow, if that start is one of ours."""
    from codex_shim.stages.contract.handshake import parse_listen

    at, listen = urlsplit(url).netloc, files.pipeline.settings.listen
    if at == listen or parse_listen(listen)[1] == 0:
        return []
    return [
        f"the chain is at {at}, but pipeline.toml says {listen}, which counts from the next start; "
        f'`listen = "{at}"` in it keeps the chain there, and `codex-shim restart` moves both now'
    ]


def _serving_warning(slug: str, url: str) -> list[str]:
    from ..loopback import slugs

    served = slugs(url)
    if served is None or slug in served:
        return []
    return [f"the running chain does not serve `{slug}` yet: `codex-shim pipeline reload`"]


def _listing_warning(offer: Any, login: bool) -> list[str]:
    """Codex sends its login with each request; the list of models is written without one."""
    from ..subscriptions import CHATGPT

    state = offer.states.get(CHATGPT) if login else None
    if state is None or state.usable:
        return []
    return [f"Codex sends its login, but ChatGPT's models are not in its list: {state.reason}"]


def _readers_warning(codex: Any) -> list[str]:
    if not codex.is_exposed:
        return []
    return [f"{codex.path} now holds the local token, and others can read it: `chmod 600 {quote(str(codex.path))}`"]
