"""Section Service: whether the chain is there after a reboot, and whether what is installed starts the chain of this home as it is.

No program is asked where nothing is installed. That somebody has no service is no fault.
"""

from __future__ import annotations

from pathlib import Path

from ..service import here, programs, service
from ..service.job import NotPossibleError
from ..service.manager import Manager
from ..service.programs import ManagerError
from ..service.service import Look
from ..system import Lock
from .check import Check, Section
from .subject import Subject

_SERVICE = Section("Service")
_INSTALL = "`codex-shim service install`"


def check(subject: Subject) -> list[Check]:
    try:
        manager = here.known_manager(subject.home, subject.environ, programs.run_program)
    except ManagerError as error:
        reason, _, remedy = str(error).partition("; ")
        return [_SERVICE.info(reason, remedy)]
    if not manager.file.exists():
        return [_SERVICE.info("none is installed, so the chain is not there after a reboot", _INSTALL)]
    try:
        return [_look(subject, manager)]
    except (ManagerError, NotPossibleError) as error:
        reason, _, remedy = str(error).partition("; ")
        return [_SERVICE.warn(f"{manager.file} is there, but {reason}", remedy or "`codex-shim service status`")]


def _look(subject: Subject, manager: Manager) -> Check:
    if reason := manager.unreachable():
        raise ManagerError(reason)
    chain_file = subject.settings.pipeline
    if chain_file is None:
        return _SERVICE.info(f"{manager.file} cannot be compared, because pipeline.toml cannot be used")
    job = here.job(subject.options, subject.environ, chain_file.settings.drain_seconds)
    holder = Lock(subject.home.lock).holder()
    return judge(manager.file, service.look(manager, holder, job), holder is not None, manager.logs)


def judge(file: Path, look: Look, runs: bool, logs: str) -> Check:
    """`runs` tells whether a chain of this home runs at all, `logs` is the command that shows what the service said."""
    if look.trouble and not look.running:
        return _SERVICE.fail(f"{file} does not run: {look.trouble}", f"`{logs}` shows what it said; then `codex-shim start`")
    if not look.enabled:
        return _SERVICE.warn(f"{file} is there, but is not started with your account", _INSTALL)
    if look.stale:
        differs = ", ".join(look.differs)
        return _SERVICE.warn(f"{file} is not what would be installed now: it differs in {differs}", f"{_INSTALL} writes it anew")
    if runs and not look.running:
        return _SERVICE.warn(f"{file} is installed, but the chain runs without it, and ends with your session", _INSTALL)
    if not look.running:
        return _SERVICE.info(f"{file} is installed, and the chain is stopped until the next login", "`codex-shim start`")
    return _SERVICE.ok(f"the chain runs as {file.name}, and starts with your account")
