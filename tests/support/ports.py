"""Ports for what must be told its port before it listens, or to which nobody may listen."""

from __future__ import annotations

import os
import secrets
import socket

# Below those that systems hand out to whoever does not ask for one by number, so that nobody gets it before it is used.
_CHOICE = range(15_000, 32_000)


def free_port() -> int:
    """A port of 127.0.0.1 at which nobody listens. Test processes that share a seed choose different ones."""
    while True:
        port = secrets.choice(_CHOICE)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


def held_port(port: int = 0) -> socket.socket:
    """A bound socket that does not listen: whoever connects to its port is refused, and nobody else is given it."""
    held = socket.socket()
    if os.name == "posix":
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", port))
    return held
