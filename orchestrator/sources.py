"""What a chain is made from: the command line's options and the user's files, read once and whole before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from . import egress, plan
from .settings import models, pipeline, provider_file
from .settings.model_key import RunCommand, run_command
from .settings.pipeline import Pipeline


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line said. Paths are absolute."""

    home: Path
    settings: Path
    pipeline: Path | None = None
    port: int | None = None


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The chain as the files describe it. `row_problems` say which models are left out, and why."""

    pipeline: Pipeline
    workers: list[egress.Worker]
    rows: list[models.ModelRow]
    row_problems: list[str]


def read_files(options: Options, environ: Mapping[str, str], run: RunCommand = run_command) -> Sources:
    """Raises `ConfigError` with every problem that makes starting pointless. `run` gets each `api_key_command`."""
    chain_file = pipeline.load(pipeline.find(options.pipeline, environ, options.home))
    found = models.load(options.settings, environ, provider_file.load(options.home / "providers.toml"), run)
    workers = egress.derive(found.rows, [stage.name for stage in chain_file.stages])
    plan.check(chain_file, workers, environ)
    return Sources(pipeline=chain_file, workers=workers, rows=found.rows, row_problems=[str(each) for each in found.problems])
