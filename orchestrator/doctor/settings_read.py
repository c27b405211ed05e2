"""The user's files as a start would read them, each with what is wrong with it; and no `api_key_command` is run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from ..settings import models, pipeline, provider_file
from ..settings.model_key import KeyCommandError
from ..settings.problems import ConfigError, Problem
from ..settings.providers import Preset
from ..sources import Options, Sources, read_files
from ..system import words_of

T = TypeVar("T")

# What stands for the key of a row whose command is not run. Nobody is ever sent it.
UNASKED = "unasked"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is None cannot be used, and `problems` say why: by the names `models`, `pipeline`, `providers`, and `together` for what
    each file alone is right about. A file that is not there is in `missing`, and what stands for it is here."""

    models: models.Models | None
    pipeline: pipeline.Pipeline | None
    providers: Mapping[str, Preset] | None
    sources: Sources | None
    problems: dict[str, list[Problem]]
    missing: set[Path]


def read(options: Options, environ: Mapping[str, str]) -> Settings:
    problems: dict[str, list[Problem]] = {}
    providers_path = options.home / "providers.toml"
    chain = _try("pipeline", problems, lambda: pipeline.load(pipeline.find(options.pipeline, environ, options.home)))
    providers = _try("providers", problems, lambda: provider_file.load(providers_path))
    found = _try("models", problems, lambda: models.load(options.settings, environ, providers, look_up(environ)))
    whole = None if problems else _try("together", problems, lambda: read_files(options, environ, look_up(environ)))
    missing = {path for path in (options.settings, providers_path) if not os.path.lexists(path)}
    return Settings(models=found, pipeline=chain, providers=providers, sources=whole, problems=problems, missing=missing)


def look_up(environ: Mapping[str, str]) -> Callable[[str | list[str]], str]:
    """In the place of `run_command`: a command may ask for a passphrase or a fingerprint, so it is only looked for."""

    def find(command: str | list[str]) -> str:
        try:
            program = (words_of(command) if isinstance(command, str) else command)[0]
        except (ValueError, IndexError):
            raise KeyCommandError("could not be started") from None
        if shutil.which(program, path=environ.get("PATH")) is None:
            raise KeyCommandError("was not found")
        return UNASKED

    return find


def _try(name: str, problems: dict[str, list[Problem]], load: Callable[[], T]) -> T | None:
    try:
        return load()
    except ConfigError as error:
        problems[name] = error.problems
        return None
