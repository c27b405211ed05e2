"""`codex-shim service …`: the chain is there after a reboot."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from ..control import NotRunningError
from ..running.status import UP
from . import pipeline
from .common import FAILED, config_errors, connection, fail, fail_with, print_json, state

if TYPE_CHECKING:
    from ..service.manager import Manager
    from ..service.service import Service

app = typer.Typer(no_args_is_help=True, help="The chain as a service of your account: there after a reboot, and after a crash.")

# How long a chain that is just starting may take until it can be told to stop.
_ANSWER_SECONDS = 20


@app.command()
def install() -> None:
    """Have the chain started with your account, by systemd, launchd or Task Scheduler: with the home and the files in use now.

    A chain that runs is stopped, and started as the service. No key is written anywhere. Repeat it after changing the PATH, an
    option, or the place of codex-shim.

    Example: codex-shim service install
    """
    with _refusals():
        manager = _manager()
        job, then = _job(manager)
        _check_files(manager, then)
        _service(manager).install(job)
    for line in _warnings(manager, job.environ, then):
        typer.echo(line, err=True)


@app.command()
def uninstall() -> None:
    """Take away what `service install` has written, and stop the chain if it runs as the service.

    Example: codex-shim service uninstall
    """
    with _refusals():
        _service(_manager()).uninstall()
    if state.home.service_env.exists():
        typer.echo(f"{state.home.service_env} is yours, and was left where it is.")


@app.command()
def status(json: pipeline.Json = False) -> None:
    """Show whether the service is installed, is started with your account, runs the chain, and is what `install` would write now.

    Exit code 1 when one of the four is not so.

    Example: codex-shim service status
    """
    import msgspec

    with _refusals(json=json):
        manager = _manager()
        job, then = _job(manager)
        look = _service(manager).look(job)
    good = look.installed and look.enabled and look.running and not look.stale
    if json:
        facts = {"manager": manager.kind, "name": job.name, "file": str(manager.file), **msgspec.to_builtins(look)}
        print_json({**facts, "ok": good, "missing_keys": _missing_keys(then), "not_told": _not_told(manager, job.environ)})
    else:
        for line in _words(manager, look):
            typer.echo(line)
        for line in _warnings(manager, job.environ, then) if look.installed else []:
            typer.echo(line)
    raise typer.Exit(0 if good else FAILED)


def start() -> bool:
    """Start the chain as the service, where one is installed."""
    return _with_installed(lambda service: service.start())


def stop(*, again: bool = False) -> bool:
    """Stop the chain, where it runs as the service. `again`: it will be started in a moment."""
    return _with_installed(lambda service: service.stop(again=again))


def _with_installed(do: Any) -> bool:
    from ..service import here
    from ..service.programs import run_program

    manager = here.installed_manager(state.home, os.environ, run_program)
    if manager is None:
        return False
    with _refusals():
        return bool(do(_service(manager)))


class _Chain:
    """The chain of the home, by its lock and its control socket."""

    def holder(self) -> int | None:
        return pipeline._lock_holder()

    def down(self) -> None:
        from ..service.programs import ManagerError

        give_up_at = time.monotonic() + _ANSWER_SECONDS
        while self.holder() is not None:
            try:
                connection().ask_once("down")
            except NotRunningError:  # it is starting, and will listen soon
                if time.monotonic() > give_up_at:
                    raise ManagerError(
                        f"the chain (pid {self.holder()}) does not answer; end that process, and try again"
                    ) from None
                time.sleep(0.05)
            else:
                return

    def url(self) -> str | None:
        answer = pipeline.running_status()
        up = answer["running"] and all(stage["state"] in UP for stage in answer["stages"])
        return str(answer["url"]) if up else None


def _service(manager: Manager) -> Service:
    from ..service import here
    from ..service.service import Service

    return Service(here.name_of(state.home), manager, _Chain(), typer.echo)


def _manager() -> Manager:
    from ..service import here
    from ..service.programs import run_program

    return here.find_manager(state.home, os.environ, run_program)


def _job(manager: Manager) -> tuple[Any, dict[str, str]]:
    """What is to run, and the environment that it will see."""
    from ..service import here
    from ..settings import pipeline as chain_file

    options = pipeline._options()
    with config_errors():
        read = chain_file.load(chain_file.find(options.pipeline, os.environ, options.home))
    job = here.job(options, os.environ, read.settings.drain_seconds)
    return job, here.later(manager, job.environ, os.environ)


def _check_files(manager: Manager, then: dict[str, str]) -> None:
    """What a service could never start is not installed."""
    from ..doctor.settings_read import look_up
    from ..settings.problems import ConfigError
    from ..sources import read_files

    options = pipeline._options()
    with config_errors():
        read_files(options, os.environ, look_up(os.environ))
    try:
        read_files(options, then, look_up(then))
    except ConfigError as error:
        why = f"the chain needs variables of this terminal, which a service does not see: {manager.key_remedy}"
        fail_with([*(str(problem) for problem in error.problems), why], ConfigError.EXIT_CODE)


def _missing_keys(then: dict[str, str]) -> dict[str, list[str]]:
    from ..service import here

    with config_errors():
        return here.missing_keys(pipeline._options(), os.environ, then)


def _not_told(manager: Manager, told: dict[str, str]) -> list[str]:
    from ..service import here

    return here.not_told(manager, told, os.environ)


def _warnings(manager: Manager, told: dict[str, str], then: dict[str, str]) -> Iterator[str]:
    from ..system import open_to_others

    mark = typer.style("warning: ", fg="yellow")
    missing = _missing_keys(then)
    for variable, slugs in missing.items():
        yield f"{mark}the service does not have {variable}, so these models are left out: {', '.join(slugs)}"
    if missing:
        yield f"  What to do: {manager.key_remedy}. Then `codex-shim restart`."
    if names := _not_told(manager, told):
        why = "a password stands in the value" if manager.tells_variables else "only this terminal has it"
        how = f"put `NAME=value` into {state.home.service_env}" if manager.tells_variables else "`setx NAME value` keeps it"
        yield f"{mark}not given to the service, because {why}: {', '.join(names)}; {how}"
    if open_to_others(state.home.service_env):
        yield f"{mark}others can read {state.home.service_env}; `chmod 600` it"


def _words(manager: Manager, look: Any) -> Iterator[str]:
    if not look.installed:
        yield f"No service is installed; `codex-shim service install` writes {manager.file}."
        return
    yield f"{'installed':<10} {manager.file}"
    yield f"{'enabled':<10} {'yes' if look.enabled else 'no; `codex-shim service install` enables it'}"
    trouble = f": {look.trouble}; see `{manager.logs}`" if look.trouble else ""
    yield f"{'running':<10} {f'yes (pid {look.pid})' if look.running else 'no' + trouble}"
    if look.stale:
        yield f"{'current':<10} no, it differs in {', '.join(look.differs)}; `codex-shim service install` writes it anew"
    elif look.differs:
        yield f"{'current':<10} yes, but for this terminal's {', '.join(look.differs)}; `codex-shim service install` takes it over"
    else:
        yield f"{'current':<10} yes"
    yield from manager.hints()


@contextmanager
def _refusals(*, json: bool = False) -> Iterator[None]:
    """`json`: a program reads, and is told so too."""
    from ..service.job import NotPossibleError
    from ..service.programs import ManagerError

    try:
        yield
    except (ManagerError, NotPossibleError) as error:
        if json:
            print_json({"manager": None, "installed": False, "ok": False, "error": str(error)})
        fail(str(error))
