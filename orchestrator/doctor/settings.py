"""Section Settings: models.json, pipeline.toml and providers.toml, with every problem at its place in the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..settings.pipeline import packaged_default
from ..settings.problems import Problem
from ..settings.providers import packaged
from .check import Check, Section, count
from .settings_read import Settings
from .subject import Subject

_SETTINGS = Section("Settings")


def check(subject: Subject) -> list[Check]:
    settings = subject.settings
    checks = [
        *_models(settings, subject.options.settings),
        *_pipeline(settings),
        *_providers(settings, subject.home.providers),
    ]
    if together := settings.problems.get("together"):
        checks.append(_broken("the files do not fit together", together))
    return checks


def _models(settings: Settings, path: Path) -> list[Check]:
    if settings.models is None:
        return [_broken(f"{path} cannot be used", settings.problems["models"])]
    if path in settings.missing:
        return [_SETTINGS.info(f"there is no {path}; only subscriptions are on offer, or the offline demo model")]
    rows = settings.models.rows
    commands = sum(row.key_source == "api_key_command" for row in rows)
    details = [f"the keys of {commands} come from commands, which are not run here"] if commands else []
    checks = [_SETTINGS.ok(f"{path}: {count(len(rows), 'model')}", details)]
    if problems := settings.models.problems:
        remedy = "mend these places, then `codex-shim pipeline reload`"
        checks.append(_SETTINGS.warn(f"{count(len(problems), 'problem')} in {path.name}", remedy, list(map(str, problems))))
    return checks


def _pipeline(settings: Settings) -> list[Check]:
    if settings.pipeline is None:
        return [_broken("pipeline.toml cannot be used", settings.problems["pipeline"])]
    stages = " → ".join(stage.name for stage in settings.pipeline.stages)
    path = settings.pipeline.path
    name = "pipeline.toml: the one that comes with codex-shim" if path == packaged_default() else str(path)
    return [_SETTINGS.ok(f"{name}: {stages}")]


def _providers(settings: Settings, path: Path) -> list[Check]:
    if settings.providers is None:
        return [_broken(f"{path} cannot be used", settings.problems["providers"])]
    known = packaged()
    if path in settings.missing:
        return [_SETTINGS.ok(f"{count(len(known), 'provider')} known; there is no providers.toml of your own")]
    added = len(settings.providers.keys() - known.keys())
    return [_SETTINGS.ok(f"{path}: {count(added, 'provider')} more than the {len(known)} that come with codex-shim")]


def _broken(message: str, problems: Sequence[Problem]) -> Check:
    return _SETTINGS.fail(message, "mend these places; `codex-shim pipeline validate` reads them again", list(map(str, problems)))
