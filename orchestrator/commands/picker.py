"""`codex-shim picker`: the page on which a model is chosen by a click."""

from __future__ import annotations

from typing import Annotated

import typer

from . import pipeline
from .common import fail, state

_OTHERWISE = "`codex-shim model use NAME` chooses a model without it"


def picker(
    print_only: Annotated[bool, typer.Option("--print", help="Print the address, and open nothing.")] = False,
) -> None:
    """Open the page that shows the models and the chain, and on which a click makes a model the one that Codex starts with.

    Example: codex-shim picker
    """
    import webbrowser

    running = pipeline.running_status()
    if not running["running"]:
        fail(f"no chain is running for {state.home.root}, and it serves the page; start it with `codex-shim start`. {_OTHERWISE}")
    if not any(stage["name"] == "desk" for stage in running["stages"]):
        fail(f"the running chain has no picker page: it was started by an older codex-shim; `codex-shim restart`. {_OTHERWISE}")
    page = str(running["url"]).removesuffix("/v1") + "/picker"
    typer.echo(page)
    if not print_only and not webbrowser.open(page):
        fail("no browser could be opened here; open the address above in one")
