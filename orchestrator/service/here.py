"""The service of one home on this machine: which manager there is, and what the job is."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path

from .. import system
from ..doctor.settings_read import look_up
from ..home import Home
from ..settings import models, provider_file
from ..sources import Options
from . import job as jobs
from .job import Job
from .lacking import lacking
from .manager import Manager
from .programs import ManagerError, Run


def name_of(home: Home) -> str:
    return jobs.name_of(home.root, Home.find(None, {}).root)


def find_manager(home: Home, environ: Mapping[str, str], run: Run) -> Manager:
    """Raises `ManagerError` where nothing could start a chain after a reboot."""
    manager = known_manager(home, environ, run)
    if reason := manager.unreachable():
        raise ManagerError(reason)
    return manager


def known_manager(home: Home, environ: Mapping[str, str], run: Run) -> Manager:
    """The same, and no program is asked whether it can be reached."""
    kind, why_not = system.service_manager()
    manager = _manager(kind, home, environ, run)
    if manager is None:
        raise ManagerError(why_not)
    return manager


def installed_manager(home: Home, environ: Mapping[str, str], run: Run) -> Manager | None:
    """The manager, if a service of this home is installed and it can be reached. Asks no program where none is."""
    kind, _ = system.service_manager()
    manager = _manager(kind, home, environ, run)
    return manager if manager and manager.file.exists() and not manager.unreachable() else None


def _manager(kind: str | None, home: Home, environ: Mapping[str, str], run: Run) -> Manager | None:
    name = name_of(home)
    if kind == "systemd":
        from .systemd import Systemd

        return Systemd(run, name, environ, home.service_env)
    if kind == "launchd":
        from .launchd import Launchd

        return Launchd(run, name, system.user_number(), _log(home))
    if kind == "tasks":
        from .tasks import Tasks

        return Tasks(run, name, system.account(environ), home.service_task, system.lasting_variables())
    return None


def job(options: Options, environ: Mapping[str, str], drain_seconds: float) -> Job:
    """As this command was called: with its interpreter, home, files and variables."""
    home = Home(options.home)
    settings = options.settings if options.settings != home.models else None
    chosen = environ.get("CODEX_SHIM_PIPELINE", "")
    pipeline = options.pipeline or (Path(chosen).expanduser() if chosen else None)
    return Job(
        name=name_of(home),
        argv=jobs.command(system.windowless(sys.executable), home.root, settings, pipeline),
        environ=jobs.carried(environ),
        home=home.root,
        env_file=home.service_env,
        log=_log(home),
        patience=math.ceil(drain_seconds) + jobs.MORE_SECONDS,
    )


def later(manager: Manager, told: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that the service will see."""
    return jobs.seen_by_service(told if manager.tells_variables else {}, environ, manager.variables())


def missing_keys(options: Options, now: Mapping[str, str], then: Mapping[str, str]) -> dict[str, list[str]]:
    """By variable, the models that have their key (or address) in this terminal, and would not as a service. Runs no
    `api_key_command`. Raises `ConfigError`."""
    presets = provider_file.load(options.home / "providers.toml")

    def read(environ: Mapping[str, str]) -> list[str]:
        return [row.slug for row in models.load(options.settings, environ, presets, look_up(environ)).rows]

    return lacking(read, now, then)


def not_told(manager: Manager, told: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """Variables of this terminal that count for the chain, and that the service will not have as they are here."""
    if manager.tells_variables:
        return [name for name in jobs.withheld(environ) if name not in manager.variables()]
    lasting = manager.variables()
    return [name for name in told if name != "PATH" and lasting.get(name) != environ.get(name)]


def _log(home: Home) -> Path:
    return home.logs / "service.log"
