"""models.json: the user's models, and why some of them cannot work.

Rule of this file: one bad row never hides another. Only a file that is not JSON, or holds no list of models, is refused as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from . import slugs
from .model_key import RunCommand, run_command
from .model_row import ModelRow, Row
from .positions import Path as At
from .positions import Positions
from .problems import ConfigError, Problem, did_you_mean
from .providers import Preset, packaged
from .source import read_text
from .strict import Reader

__all__ = ["LISTS", "Listed", "ModelRow", "Models", "listed", "load", "parse"]

LISTS = ("models", "customModels", "launchModels", "launch_models")


class Models(msgspec.Struct, frozen=True):
    """`rows` can be asked and stand in the user's order; `problems` in the order of the file."""

    rows: list[ModelRow] = []
    problems: list[Problem] = []


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A row as it is written, whether it can work or not: its place in the list, counted from 0, and its names."""

    place: int
    slug: str
    model: str
    name: str


def load(
    path: Path, environ: Mapping[str, str], presets: Mapping[str, Preset] | None = None, run: RunCommand = run_command
) -> Models:
    """A file that is not there holds no models. Runs the key commands that it names. Raises `ConfigError`."""
    if not os.path.lexists(path):
        return Models()
    return parse(read_text(path), str(path), environ, run, presets)


def parse(
    text: str, path: str, environ: Mapping[str, str], run_command: RunCommand, presets: Mapping[str, Preset] | None = None
) -> Models:
    """Raises `ConfigError` for text that is not JSON or holds no list; `run_command` gets each `api_key_command` once."""
    presets = packaged() if presets is None else presets
    document, positions = _document(text, path)
    reader = Reader(path, positions, table="an object")
    written, at = _list(document, reader)
    rows = [Row(each, (*at, place), reader, presets) for place, each in enumerate(written)]
    names = slugs.assign([_named(row, place) for place, row in enumerate(rows)])
    run = _once(run_command)
    built = [row.build(slug, environ, run) for row, slug in zip(rows, names, strict=True)]
    usable = [(row, place if row.index is None else row.index) for place, row in enumerate(built) if row]
    return Models([row for row, _ in sorted(usable, key=lambda pair: pair[1])], reader.problems)


def listed(text: str, path: str) -> list[Listed]:
    """All rows in the order of the file. Needs no key, and raises `ConfigError` as `parse` does."""
    document, positions = _document(text, path)
    reader = Reader(path, positions, table="an object")
    written, at = _list(document, reader)
    rows = [Row(each, (*at, place), reader, {}) for place, each in enumerate(written)]
    names = slugs.assign([_named(row, place) for place, row in enumerate(rows)])
    return [
        Listed(place=place, slug=slug, model=row.text("model"), name=row.text("display_name") or row.text("model"))
        for place, (row, slug) in enumerate(zip(rows, names, strict=True))
    ]


def _named(row: Row, place: int) -> slugs.Named:
    index = row.raw.get("index")
    return slugs.Named(row.text("slug"), row.text("model"), row.text("display_name"), index if type(index) is int else place)


def _once(run: RunCommand) -> RunCommand:
    """Rows that share a command share its answer, and its failure."""
    answers: dict[str, str | Exception] = {}

    def answer(command: str | list[str]) -> str:
        name = repr(command)
        if name not in answers:
            try:
                answers[name] = run(command)
            except Exception as error:
                answers[name] = error
        found = answers[name]
        if isinstance(found, Exception):
            raise found
        return found

    return answer


def _document(text: str, path: str) -> tuple[Any, Positions]:
    import json

    from .json_positions import scan

    try:
        document = json.loads(text)
        json.dumps(document, ensure_ascii=False).encode()  # half a character pair could neither be sent nor printed
        return document, scan(text)
    except json.JSONDecodeError as error:
        problem = Problem(path, error.lineno, error.colno, f"this is not valid JSON: {error.msg[:1].lower()}{error.msg[1:]}")
    except RecursionError:
        problem = Problem(path, 0, 0, "the file is nested too deeply to be read")
    except UnicodeEncodeError:
        problem = Problem(path, 0, 0, "a string in this file holds half of a character (an escape from \\ud800 to \\udfff)")
    except ValueError:
        problem = Problem(path, 0, 0, "this is not valid JSON: it holds a number that is too long")
    raise ConfigError([problem])  # outside the handlers: the decoder's error carries the text


def _list(document: Any, reader: Reader) -> tuple[list[Any], At]:
    if isinstance(document, list):
        return document, ()
    if not isinstance(document, dict):
        raise ConfigError([Problem(reader.path, 1, 1, "models.json must hold a list of models, or an object with `models`")])
    key = next((name for name in LISTS if name in document), None)
    if key is None:
        reader.at_key(*_no_list(document))
    elif not isinstance(document[key], list):
        reader.at_value((key,), f"`{key}` must be a list of models")
    if reader.problems or key is None:
        raise ConfigError(reader.problems)
    if key == "models":  # under another name the file belongs to another program, which may keep more in it
        for other in document:
            if other not in ("models", "$schema"):
                reader.at_key((other,), f"unknown key `{other}` is ignored")
    return document[key], (key,)


def _no_list(document: dict[str, Any]) -> tuple[At, str]:
    for key in document:
        if meant := did_you_mean(key, LISTS):
            return (key,), f"unknown key `{key}`{meant}"
    return (), "this file holds no models: an object needs a list `models`"
