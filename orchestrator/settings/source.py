"""Reads a user's text file, forgiving what editors do (a byte order mark) and naming what cannot be read."""

from __future__ import annotations

from pathlib import Path

from .positions import Positions
from .problems import ConfigError, Problem


def read_text(path: Path) -> str:
    """Raises `ConfigError` for a file that is missing, may not be read, or is not UTF-8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise ConfigError([Problem(str(path), 0, 0, f"cannot read this file: {reason[:1].lower()}{reason[1:]}")]) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
    line, column = Positions(before).line_column(len(before))  # outside the handler: the error carries the file's bytes
    raise ConfigError([Problem(str(path), line, column, "this is not UTF-8 text; save the file as UTF-8")])
