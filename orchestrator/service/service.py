"""Putting the chain under a service manager, taking it away, and the questions in between.

The chain itself is reached as everybody reaches it: by its control socket and its lock. A chain that runs otherwise, in the
background or in a terminal, is stopped before the service starts, since a home has one chain.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from ..home import write_private
from . import job as jobs
from .job import Job
from .manager import Manager, State
from .programs import ManagerError

READY_SECONDS = 60.0
_STEP_SECONDS = 0.1
_PATIENT_SECONDS = 1.0


class Chain(Protocol):
    """The chain of the home, whoever runs it."""

    def holder(self) -> int | None:
        """The process that runs it, None where nobody does."""
        ...

    def down(self) -> None:
        """Ask it to end; that goes on after this has returned."""
        ...

    def url(self) -> str | None:
        """Where it is, once every stage is up."""
        ...


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """`running`: the chain runs, and under the service. `current`: the file is what `install` would write now; `differs` names
    the settings and variables that are others."""

    installed: bool
    enabled: bool
    running: bool
    pid: int | None
    current: bool
    differs: list[str]
    trouble: str

    @property
    def stale(self) -> bool:
        """Another terminal has other variables, which alone is no reason to install it anew."""
        return bool(set(self.differs) - set(jobs.CARRIED))


class Service:
    """The service of one home. Raises `ManagerError` and `NotPossibleError`; `say` gets sentences for the user."""

    def __init__(
        self,
        name: str,
        manager: Manager,
        chain: Chain,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._manager = manager
        self._chain = chain
        self._say = say
        self._clock = clock
        self._pause = pause

    @property
    def installed(self) -> bool:
        return self._manager.file.exists()

    def install(self, job: Job) -> None:
        """Does nothing where all is as it should be."""
        jobs.check(job)
        wanted, found = self._manager.content(job), _found(self._manager)
        state = self._manager.state()
        if found == wanted and state.enabled and self._runs_under(state):
            self._say(f"{self._manager.file} is as it should be, and the chain runs under it; nothing to do.")
            return
        self._write(wanted, found)
        self._end(state)
        self._manager.start(changed=found != wanted)
        self._say(f"The chain runs as the service `{self._name}` at {self._wait_until_ready()}")
        for hint in self._manager.hints():
            self._say(hint)

    def uninstall(self) -> None:
        """Takes away what `install` has written. The chain ends with it."""
        found, state = _found(self._manager), self._manager.state()
        if found is None and not state.enabled:
            self._say(f"There is no service `{self._name}`; nothing to do.")
            return
        ran = self._runs_under(state) or state.active
        if ran:
            self._stop(state)
        self._manager.unregister()
        self._manager.file.unlink(missing_ok=True)
        self._manager.forget()
        self._say(
            f"Removed {self._manager.file}" + (", and the chain has stopped; `codex-shim start` runs it without." if ran else ".")
        )

    def look(self, job: Job) -> Look:
        return look(self._manager, self._chain.holder(), job)

    def start(self) -> bool:
        """Start the chain as the service, where that is installed."""
        if not self.installed:
            return False
        self._manager.start(changed=False)
        self._say(f"The chain runs as the service `{self._name}` at {self._wait_until_ready()}")
        return True

    def stop(self, *, again: bool = False) -> bool:
        """Stop the chain, where it runs as the service. `again`: it will be started in a moment."""
        if not self.installed:
            return False
        state = self._manager.state()
        if not (self._runs_under(state) or (state.active and self._chain.holder() is None)):
            return False
        self._stop(state)
        self._say(
            f"The chain, which runs as the service `{self._name}`, has stopped.{'' if again else f' {self._manager.after_stop}'}"
        )
        return True

    def _write(self, wanted: bytes, found: bytes | None) -> None:
        """And have it taken over; what the manager refuses is put back."""
        path = self._manager.file
        if found != wanted:
            self._put(path, wanted)
        try:
            self._manager.register()
        except ManagerError:
            if found is None:
                path.unlink(missing_ok=True)
            elif found != wanted:
                self._put(path, found)
            raise
        if found != wanted:
            self._say(f"{'Wrote' if found is None else 'Updated'} {path}")

    def _put(self, path: Path, content: bytes) -> None:
        write_private(path, content)
        if not self._manager.private:
            path.chmod(0o644)

    def _end(self, state: State) -> None:
        """Of whatever runs the chain now, or is about to."""
        if self._chain.holder() is None:
            return
        if self._runs_under(state):
            self._stop(state)
            self._say("Stopped the chain, to start it with the new file.")
        else:
            self._chain.down()
            self._wait_until_ended()
            self._say("Stopped the chain that ran without the service.")

    def _stop(self, state: State) -> None:
        self._manager.stop()
        if self._manager.asks_chain and self._chain.holder() is not None:
            self._chain.down()
        self._wait_until_ended()

    def _runs_under(self, state: State) -> bool:
        return _runs_under(state, self._chain.holder())

    def _wait_until_ended(self) -> None:
        """Streams may finish first; the drain time of pipeline.toml ends that."""
        pid, patient_until = self._chain.holder(), self._clock() + _PATIENT_SECONDS
        while pid and self._chain.holder() == pid:
            self._pause(_STEP_SECONDS)
            if self._clock() > patient_until:
                self._say("Streams are still under way; they may finish within the drain time of pipeline.toml.")
                patient_until = float("inf")

    def _wait_until_ready(self) -> str:
        """The URL."""
        give_up_at = self._clock() + READY_SECONDS
        while (url := self._chain.url()) is None:
            state = self._manager.state()
            late = self._clock() > give_up_at
            if state.trouble or late:
                why = state.trouble or f"it is not ready after {READY_SECONDS:g} s"
                raise ManagerError(f"the service `{self._name}` does not come up: {why}; `{self._manager.logs}` shows what it said")
            self._pause(_STEP_SECONDS)
        return url


def look(manager: Manager, holder: int | None, job: Job) -> Look:
    """`holder` is the process that runs the chain of the home, None where nobody does. Raises `ManagerError`."""
    found, state = _found(manager), manager.state()
    differs = manager.differences(found, manager.content(job)) if found is not None else []
    under = _runs_under(state, holder)
    return Look(
        installed=found is not None,
        enabled=state.enabled,
        running=under,
        pid=holder if under else None,
        current=found is not None and not differs,
        differs=differs,
        trouble=state.trouble,
    )


def _found(manager: Manager) -> bytes | None:
    """What is in the file, if it is ours. Raises `ManagerError` for another's, which we neither change nor remove."""
    try:
        found = manager.file.read_bytes()
    except FileNotFoundError:
        return None
    if jobs.MODULE.encode() not in found.replace(b"\0", b""):  # UTF-16 of what is ASCII
        raise ManagerError(f"{manager.file} was not written by codex-shim; move it away, and try again")
    return found


def _runs_under(state: State, holder: int | None) -> bool:
    return holder is not None and state.active and state.pid in (None, holder)
