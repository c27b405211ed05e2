"""`codex-shim patch-app` and `restore-app`: Codex Desktop on macOS, so that its picker shows the models of the catalog."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import pipeline
from .common import fail, print_json, state

if TYPE_CHECKING:
    from ..app.patches import Plan

_Path = Annotated[Path | None, typer.Argument(metavar="PATH", help="The app, if it is not where apps usually are.")]


def patch_app(
    path: _Path = None,
    check: Annotated[bool, typer.Option("--check", help="Only look whether it can be patched, or is; change nothing.")] = False,
    json: pipeline.Json = False,
) -> None:
    """Let Codex Desktop show the models of the catalog and the threads of every provider (macOS). The original is kept.

    Example: codex-shim patch-app --check
    """
    from ..app import bundle, patching, tools

    if check:
        with _on_macos("patch-app"):
            _show_check(bundle.find(path, bundle.folders(Path.home())), json)
        return
    with _on_macos("patch-app"), _alone():
        app = bundle.find(path, bundle.folders(Path.home()))
        done = patching.patch(app, state.home, tools.Tools(), Path.home(), _say)
    following = f"open {quote(str(done.app))}"
    if json:
        told = {"app": str(done.app), "version": done.version, "changed": done.changed, "ours": done.ours, "copied": done.copied}
        print_json({**told, "places": _places(done.found.plan), "next": following})
        return
    if not done.changed:
        whose = "" if done.ours else "; not by codex-shim with this home, so `restore-app` cannot undo it"
        typer.echo(f"{done.app} (version {done.version}) is patched already{whose}.")
        return
    copy = " It is a copy: the app itself cannot be written, and was not." if done.copied else ""
    typer.echo(f"{done.app} (version {done.version}) is patched.{copy} Next: {following}")
    typer.echo("`codex-shim restore-app` undoes it. An update of the app undoes it, too; then patch again.")


def restore_app(path: _Path = None, json: pipeline.Json = False) -> None:
    """Put the original of a patched Codex Desktop back (macOS). Never an old one over a newer app.

    Example: codex-shim restore-app
    """
    from ..app import restoring, tools

    with _on_macos("restore-app"), _alone():
        done = restoring.restore(path, state.home, tools.Tools(), _say)
    if json:
        print_json({"app": str(done.app), "version": done.version, "copied": done.copied, "signed": done.signed})
        return
    what = f"The patched copy was removed; {done.app}" if done.copied else f"{done.app}"
    typer.echo(f"{what} (version {done.version}) is the original{'' if done.copied else ' again'}.")
    if not done.signed:
        typer.echo("macOS does not accept its signature, though: install the app anew from https://openai.com/codex.", err=True)


@contextmanager
def _on_macos(command: str) -> Iterator[None]:
    from ..app.bundle import AppError
    from ..system import has_app_bundles

    if not has_app_bundles():
        elsewhere = "elsewhere `codex-shim model use NAME` chooses a model without the picker"
        fail(f"`codex-shim {command}` is for the app of macOS; {elsewhere}")
    try:
        yield
    except AppError as error:
        fail(str(error))


@contextmanager
def _alone() -> Iterator[None]:
    from ..system import Lock

    lock = Lock(state.home.run / "app.lock")
    if not lock.acquire():
        fail("another codex-shim is changing an app just now; try again when it is done")
    try:
        yield
    finally:
        lock.release()


def _show_check(app: Any, json: bool) -> None:
    from ..app.survey import survey

    found = survey(app)
    plan = found.plan
    if json:
        told = {"app": str(app.path), "version": found.info.version, "patched": plan.done, "shows_catalog": plan.shows_catalog}
        print_json({**told, "places": _places(plan)})
        return
    typer.echo(f"{app.path} (version {found.info.version}) {'is patched' if plan.done else 'can be patched'}:")
    for place in plan.places:
        typer.echo(f"  {place.edit:<8} {'done' if place.state == 'applied' else 'to do':<6} {place.file}")
    if plan.shows_catalog and not plan.done:
        typer.echo("This version seems to show the models of a configured catalog by itself; try it without the patch first.")


def _places(plan: Plan) -> list[dict[str, str]]:
    return [{"edit": place.edit, "file": place.file, "state": place.state} for place in plan.places]


def _say(sentence: str) -> None:
    if sys.stderr.isatty():
        typer.echo(typer.style(sentence, dim=True), err=True)
