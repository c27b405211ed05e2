"""A TOML text and where everything in it stands. Rule of this file: text that is not TOML is one problem with its place."""

from __future__ import annotations

from typing import Any

from .positions import Positions
from .problems import ConfigError, Problem


def document(text: str, path: str) -> tuple[dict[str, Any], Positions]:
    """Raises `ConfigError`."""
    import tomllib

    from .toml_positions import scan

    text = text.replace("\r\n", "\n")
    try:
        return tomllib.loads(text), scan(text)
    except tomllib.TOMLDecodeError as error:
        problem = _invalid(str(error), text, path)
    except RecursionError:
        problem = Problem(path, 0, 0, "the file is nested too deeply to be read")
    raise ConfigError([problem])  # outside the handler: the decoder's error may carry the text


def _invalid(message: str, text: str, path: str) -> Problem:
    """tomllib says where only inside its message: "… (at line 3, column 7)", or "(at end of document)"."""
    import re

    reason, _, place = message.rpartition(" (at ")
    numbers = re.fullmatch(r"line (\d+), column (\d+)\)", place)
    line, column = map(int, numbers.groups()) if numbers else Positions(text).line_column(len(text))
    return Problem(path, line, column, f"this is not valid TOML: {reason[:1].lower()}{reason[1:]}")
