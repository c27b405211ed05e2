"""How commands reach the running chain (control_server.py). Blocking, and light to import: most commands need nothing else."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

from .system import Lock

Message = dict[str, Any]


class NotRunningError(Exception):
    """No chain runs for this home."""


class Connection:
    """The client side: blocking, for commands that have nothing else to do. `seconds` is the patience for each answer."""

    def __init__(self, path: Path, seconds: float | None = None) -> None:
        self._path = path
        self._seconds = seconds
        self._open: set[socket.socket] = set()
        self.facts: Message = {}

    def ask(self, command: str, **arguments: Any) -> Generator[Message, None, None]:
        """The answers, as they come; closing it closes the connection. Raises `NotRunningError`, and `TimeoutError` for one that
        keeps us waiting."""
        if Lock(self._path.with_name("lock")).holder() is None:
            raise NotRunningError  # the file of a chain that was killed names a port that may be anybody's by now
        try:
            self.facts = json.loads(self._path.read_bytes())
            connection = socket.create_connection(("127.0.0.1", self.facts["port"]), timeout=self._seconds)
        except (OSError, ValueError) as error:
            raise NotRunningError from error
        self._open.add(connection)
        try:
            with connection, connection.makefile("rb") as lines:
                connection.sendall(json.dumps({"token": self.facts["token"], "command": command, **arguments}).encode() + b"\n")
                for line in lines:
                    yield json.loads(line)
        finally:
            self._open.discard(connection)

    def hang_up(self) -> None:
        """What is being answered ends here, also for a thread that waits for it."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def ask_once(self, command: str, **arguments: Any) -> Message:
        """The last answer."""
        answers = list(self.ask(command, **arguments))
        return answers[-1] if answers else {"ok": False, "error": "the chain went away before it answered"}
