"""Two sides of a replay as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from ..sight.comparison import Measured, Row, Sum, sums
from .common import print_table
from .taplines import text_lines

_HEADINGS = ("", "MODEL", "INPUT", "CACHED", "OUTPUT", "FIRST", "WHOLE", "TEXT", "TOOL CALLS")


def show(rows: Sequence[Row], *, texts: bool) -> None:
    """One line per exchange, before → after, and their sum; `texts` adds how each text differs."""
    before, after = sums(rows)
    total = ["sum", "", *_numbers(before, after), "", ""]
    print_table(_HEADINGS, [*(_cells(row) for row in rows), total])
    for row in rows:
        for side, measured in (("before", row.before), ("after", row.after)):
            if measured is not None and measured.failure:
                typer.echo(f"{row.number} {side}: {measured.failure}")
        if texts and row.after is not None:
            _show_difference(row, row.after)


def _cells(row: Row) -> list[str]:
    head = [str(row.number), row.model or "-"]
    if row.after is None:
        return [*head, *_numbers(row.before, None), "-", "-"]
    return [*head, *_numbers(row.before, row.after), _same(row.same_text), _same(row.same_calls)]


def _numbers(before: Measured | Sum, after: Measured | Sum | None) -> list[str]:
    tokens = [_pair(name, before, after) for name in ("input", "cached", "output")]
    return [*tokens, *(_pair(name, before, after) for name in ("first", "whole"))]


def _pair(name: str, before: Any, after: Any) -> str:
    values = [_number(getattr(side, name)) if side is not None else "-" for side in (before, after)]
    return values[0] if values[0] == values[1] else " → ".join(values)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s" if isinstance(value, float) else str(value)


def _same(same: bool) -> str:
    return typer.style("same", fg="green") if same else typer.style("differs", fg="yellow")


def _show_difference(row: Row, after: Measured) -> None:
    if not row.same_text:
        typer.echo(typer.style(f"text of {row.number}", bold=True))
        for line in text_lines(row.before.text, after.text):
            typer.echo(f"  {line}")
    if not row.same_calls:
        typer.echo(typer.style(f"tool calls of {row.number}", bold=True))
        for line in text_lines("\n".join([*row.before.calls, ""]), "\n".join([*after.calls, ""])):
            typer.echo(f"  {line}")
