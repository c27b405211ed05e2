"""`codex-shim usage`: what was asked of which model, for which project, and what it has cost."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import Annotated

import typer

from ..control import NotRunningError
from .common import connection, fail, print_json, print_table, state


class By(StrEnum):
    slug = "slug"
    project = "project"
    day = "day"


def usage(
    by: Annotated[By, typer.Option(help="What each line is about.")] = By.slug,
    days: Annotated[int, typer.Option(help="How many days to look at, with today as the last.", min=1, max=4000)] = 7,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show requests, tokens and their estimated cost, by model, project or day.

    Counted is what went through a chain of this home. Prices age: prices.toml and `price` in models.json set them right.

    Example: codex-shim usage --by project --days 30
    """
    from datetime import date, timedelta

    from ..usage import store, summary

    today = date.today()
    first = (today - timedelta(days=days - 1)).isoformat()
    _settle()
    try:
        rows = store.read(state.home.usage, first)
    except store.StoreError as error:
        fail(str(error))
    groups, whole = summary.grouped(rows, by.value), summary.total(rows)
    if json:
        total = summary.for_programs([("", whole)], by.value)[0]
        del total[by.value]
        print_json(
            {"from": first, "to": today.isoformat(), "by": by.value, "rows": summary.for_programs(groups, by.value), "total": total}
        )
    elif groups:
        print_table((by.value.upper(), *summary.HEADINGS[1:]), summary.table(groups, by.value, whole))
    else:
        typer.echo(f"No request was counted since {first} ({state.home.root}).", err=True)


def _settle() -> None:
    """What a running chain has not written yet."""
    with suppress(NotRunningError, OSError, ValueError):
        connection().ask_once("usage")
