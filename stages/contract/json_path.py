"""A small way to name a value inside JSON: `input[0].role`, `tools[*].name`, `metadata["odd key"]`. Pure.

Names are joined by dots, `[0]` counts from the start and `[-1]` from the end, `[*]` means each of a list or of a table's values. A
name with other signs than letters, digits, `_`, `-` and `$` is quoted in brackets. The empty path is the value itself.
"""

from __future__ import annotations

import json
import re
from typing import Any

EACH = None
Step = str | int | None
Path = tuple[Step, ...]

_STEP = re.compile(r'(?P<name>(?:^|(?<=.)\.)[\w$-]+)|\[(?P<index>-?\d+)\]|\[(?P<each>\*)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


class PathError(ValueError):
    """The message is a clause about what cannot be read, and how it is written."""


def parse(text: str) -> Path:
    """Raises `PathError`."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise PathError(f'cannot be read from `{text[at:]}` on; write it like input[0].role, tools[*].name or ["odd name"]')
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def parse_field(text: str) -> Path:
    """For a value inside an object, so it begins with a name. Raises `PathError`."""
    steps = parse(text)
    if not steps or not isinstance(steps[0], str):
        raise PathError("must begin with the name of a field, like reasoning.effort")
    return steps


def select(value: Any, path: Path) -> list[Any]:
    """All values that the path names: one at most, unless it holds `[*]`."""
    found = [value]
    for step in path:
        found = [inner for outer in found for inner in _inside(outer, step)]
    return found


def _step(match: re.Match[str]) -> Step:
    if match["each"]:
        return EACH
    if match["index"]:
        return int(match["index"])
    try:
        return json.loads(match["quoted"]) if match["quoted"] else match["name"].removeprefix(".")
    except ValueError:
        raise PathError(f"holds {match['quoted']}, which is not a JSON string") from None


def _inside(value: Any, step: Step) -> list[Any]:
    if step is EACH:
        return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    if isinstance(step, int):
        return [value[step]] if isinstance(value, list) and -len(value) <= step < len(value) else []
    return [value[step]] if isinstance(value, dict) and step in value else []
