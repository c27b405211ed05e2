"""What a service manager does for us, whichever it is. Three exist: systemd.py, launchd.py, tasks.py."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from .job import Job


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`active`: it runs, or the manager is about to start it again. `pid` is None also where the manager does not tell."""

    enabled: bool = False
    active: bool = False
    pid: int | None = None
    trouble: str = ""


class Manager(Protocol):
    """Where something fails, `ManagerError` is raised with what the manager said."""

    kind: str
    file: Path
    private: bool  # whether the file is for its owner's eyes only
    tells_variables: bool  # whether a service can be told any
    asks_chain: bool  # whether an orderly end has to be asked of the chain itself
    key_remedy: str  # where a key can be put so that the service has it
    logs: str  # a command that shows what the service said
    after_stop: str  # when it will start again

    def unreachable(self) -> str | None:
        """Why the manager cannot be used, None where it can."""
        ...

    def variables(self) -> dict[str, str]:
        """What its services have in their environment beyond what a `Job` tells them."""
        ...

    def content(self, job: Job) -> bytes:
        """What the file holds. Raises `NotPossibleError`."""
        ...

    def differences(self, found: bytes, wanted: bytes) -> list[str]:
        """The settings and variables in which two files differ."""
        ...

    def state(self) -> State: ...

    def register(self) -> None:
        """Take the file, which has been written, over, for every start to come. Nothing is started."""
        ...

    def start(self, *, changed: bool) -> None:
        """Start it now. `changed`: the file is another one than at the last start."""
        ...

    def stop(self) -> None:
        """Have it end in an orderly way, which may go on after this has returned, and not start again by itself."""
        ...

    def unregister(self) -> None:
        """The opposite of `register`; it has been stopped."""
        ...

    def forget(self) -> None:
        """The file is gone."""
        ...

    def hints(self) -> list[str]:
        """What the user may want to do beyond that, as sentences."""
        ...
