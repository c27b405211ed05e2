"""pipeline.toml: where it is, what it says, and everything that is wrong with it.

Rule of this file: a pipeline is either valid as a whole or a `ConfigError` with all problems; nothing is guessed or left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from codex_shim.stages.egress_cursor.config import Options as CursorOptions
from codex_shim.stages.egress_demo.config import Options as DemoOptions
from codex_shim.stages.egress_http.config import Options as HttpOptions

from ..sight.hops import Check
from . import base_url, chain_rules, toml_file
from .addresses import read_listen
from .positions import Path as At
from .positions import Positions
from .problems import ConfigError, Problem, did_you_mean
from .source import read_text
from .stage_table import BUILTIN_STAGES, DEMO_EGRESS, StageReader, StageTable
from .strict import Reader, valid_part

__all__ = ["BUILTIN_STAGES", "DEMO_EGRESS", "Pipeline", "PipelineSettings", "StageTable", "find", "load", "parse"]


# Of `otel`: OTEL_EXPORTER_OTLP_ENDPOINT says where the collector is.
FROM_ENVIRONMENT = "env"
_COLLECTOR = re.compile(r"https?://[^\s/?#@]+[^\s?#@]*")


class PipelineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    listen: str = "127.0.0.1:8765"
    drain_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 30.0
    otel: str = ""
    health_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 5.0
    check: Check = "off"
    usage_days: Annotated[int, msgspec.Meta(ge=0, le=4000)] = 400


class ChatGptOptions(HttpOptions, kw_only=True, forbid_unknown_fields=True):
    """`base_url` leads elsewhere than to ChatGPT, which tests need: nothing but this setting can."""

    base_url: str = ""


EgressOptions = HttpOptions | DemoOptions | CursorOptions
_NAMED_EGRESS: dict[str, type[EgressOptions]] = {DEMO_EGRESS: DemoOptions, "chatgpt": ChatGptOptions, "cursor": CursorOptions}


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """`stages` in the order of the chain; `egress` holds what tunes a derived worker, by its name; `tests` are of case_table.py."""

    path: Path | None
    settings: PipelineSettings
    stages: list[StageTable]
    egress: dict[str, EgressOptions]
    positions: Positions
    tests: list[Any] = []

    def problem(self, at: At, sentence: str) -> Problem:
        """For whoever finds out later that a value cannot be: `at` like `("stage", 2, "default")` or `("egress", "kimi")`."""
        return Problem(str(self.path), *self.positions.value(at), sentence)


def find(explicit: Path | None, environ: Mapping[str, str], home: Path) -> Path:
    """The file that counts. Never one of the current directory: a cloned repository must not be able to start programs."""
    if explicit:
        return explicit.expanduser().absolute()
    if from_environ := environ.get("CODEX_SHIM_PIPELINE"):
        path = Path(from_environ).expanduser()
        if not path.is_absolute():  # else each directory one works in would decide what is started
            raise ConfigError([Problem("CODEX_SHIM_PIPELINE", 0, 0, f"`{from_environ}` must be an absolute path")])
        return path
    own = home / "pipeline.toml"
    return own if os.path.lexists(own) else packaged_default()


def packaged_default() -> Path:
    """In a checkout the repository's own pipeline.toml, else the copy of it that the wheel holds."""
    here = Path(__file__).parent
    checkout = here.parents[1] / "pipeline.toml"
    return checkout if checkout.is_file() else here / "default_pipeline.toml"


def load(path: Path) -> Pipeline:
    """Raises `ConfigError`, also where the file cannot be read."""
    return parse(read_text(path), str(path))


def parse(text: str, path: str, which: Callable[[str], str | None] | None = None) -> Pipeline:
    """Raises `ConfigError` with every problem. Relative paths in `text` start at the folder of `path`; scripts and programs that
    it names must exist, and `which` finds the latter (`shutil.which`)."""
    document, positions = toml_file.document(text, path)
    reader = Reader(path, positions)
    _top_level(document, reader)
    settings = _settings(document.get("pipeline", {}), reader)
    tables = _tables(document.get("stage", []), reader)
    if tables is not None:
        chain_rules.check(tables, settings.listen, reader)
    stages = _stages(tables or [], StageReader(reader, Path(path).absolute().parent, which or _which))
    egress = _egress(document.get("egress", {}), reader)
    tests = _tests(document["test"], tables or [], reader) if "test" in document else []
    if reader.problems:
        raise ConfigError(reader.problems)
    return Pipeline(path=Path(path), settings=settings, stages=stages, egress=egress, positions=positions, tests=tests)


def _which(program: str) -> str | None:
    import shutil

    return shutil.which(program)


def _top_level(document: dict[str, Any], reader: Reader) -> None:
    known = {"pipeline": "[pipeline]", "stage": "[[stage]]", "egress": "[egress.NAME]", "test": "[[test]]"}
    for key, value in document.items():
        if key not in known:
            meant = did_you_mean(key, known)
            hint = next((f"; did you mean {name}?" for word, name in known.items() if f"`{word}`" in meant), "")
            reader.at_key((key,), f"unknown {'table' if isinstance(value, dict | list) else 'key'} `{key}`{hint}")


def _settings(table: Any, reader: Reader) -> PipelineSettings:
    """The defaults stand in for what is wrong, so that the rest can still be checked."""
    settings = reader.decode(table, PipelineSettings, ("pipeline",), "[pipeline]")
    settings = settings or PipelineSettings(**valid_part(table, PipelineSettings))
    read_listen(settings.listen, ("pipeline", "listen"), reader)
    if settings.otel and settings.otel != FROM_ENVIRONMENT and not _COLLECTOR.fullmatch(settings.otel):
        sentence = f'`otel` is the URL of a collector, such as "http://127.0.0.1:4318", or "{FROM_ENVIRONMENT}"'
        reader.at_value(("pipeline", "otel"), sentence)
    return settings


def _tables(value: Any, reader: Reader) -> list[dict[str, Any]] | None:
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return value
    reader.at_key(("stage",), "each stage is a table of its own, and its header has two brackets: [[stage]]")
    return None


def _stages(tables: list[dict[str, Any]], reader: StageReader) -> list[StageTable]:
    found = [reader.read(table, ("stage", index)) for index, table in enumerate(tables)]
    return [stage for stage in found if stage]


def _egress(tables: Any, reader: Reader) -> dict[str, EgressOptions]:
    if not isinstance(tables, dict):
        reader.at_key(("egress",), "`egress` must be written as tables: [egress.NAME]")
        return {}
    found = {}
    for name, table in tables.items():
        kind = _NAMED_EGRESS.get(name, HttpOptions)
        options = reader.decode(table, kind, ("egress", name), f"[egress.{name}]")
        found[name] = _leading(options, ("egress", name, "base_url"), reader) if isinstance(options, ChatGptOptions) else options
    return {name: options for name, options in found.items() if options}


def _tests(tables: Any, stages: list[dict[str, Any]], reader: Reader) -> list[Any]:
    from . import case_table  # a chain starts without it where there is no test

    return case_table.read(tables, stages, reader, Path(reader.path).absolute().parent)


def _leading(options: ChatGptOptions, at: At, reader: Reader) -> ChatGptOptions:
    """The login would go there: so to https, or to this machine."""
    try:
        return msgspec.structs.replace(options, base_url=base_url.read(options.base_url) if options.base_url else "")
    except base_url.BaseUrlError as error:
        reader.at_value(at, f"`base_url` in [egress.chatgpt] {error}")
        return options
