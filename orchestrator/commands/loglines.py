"""A stage's JSON log lines in words, one colour per stage."""

from __future__ import annotations

import time
import zlib
from typing import Any

import msgspec
import typer
from codex_shim.stages.contract.log_fields import FOR_PROGRAMS

_COLOURS = ("cyan", "magenta", "blue", "green", "yellow", "bright_cyan", "bright_magenta")
_LAST = ("error", "traceback")


class Painter:
    """`raw` passes lines as they are."""

    def __init__(self, *, raw: bool) -> None:
        self._raw = raw

    def paint(self, stage: str, line: str) -> str:
        if self._raw:
            return line
        colour = _COLOURS[zlib.crc32(stage.encode()) % len(_COLOURS)]
        return f"{typer.style(f'{stage:<14}', fg=colour)} {_words(line)}"


def _words(line: str) -> str:
    try:
        record = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return line
    if not isinstance(record, dict) or "event" not in record:
        return line
    clock = time.strftime("%H:%M:%S", time.localtime(record.pop("ts", 0)))
    record.pop("stage", None)
    event = record.pop("event")
    return f"{clock} {_request(record) if event == 'request' else event + ' ' + _pairs(record)}"


def _request(record: dict[str, Any]) -> str:
    head = f"{record.pop('method', '')} {record.pop('path', '')} {record.pop('status', '-')}"
    outcome, ms = record.pop("outcome", ""), record.pop("ms", 0)
    coloured = typer.style(outcome, fg="green" if outcome == "ok" else "yellow" if outcome == "cancelled" else "red")
    return f"{head} {coloured} {ms} ms {_pairs(record)}"


def _pairs(record: dict[str, Any]) -> str:
    told = [(name, value) for name, value in record.items() if name not in FOR_PROGRAMS]
    ordered = sorted(told, key=lambda pair: pair[0] in _LAST)
    return " ".join(f"{name}={value}" for name, value in ordered)
