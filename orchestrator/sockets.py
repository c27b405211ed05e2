"""The listening sockets of the chain: bound by us before anything starts, so that no stage can find its port taken later."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator, Sequence
from functools import cache

from codex_shim.stages.contract import ports

from .plan import Address, Need
from .system import can_hand_on_sockets, port_owner


class StartError(Exception):
    """The chain cannot come up; the message is for the user."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. It listens from now on, so that whoever connects early waits instead of being refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=1024)
    listening.setblocking(False)
    return listening


def is_free(host: str, port: int) -> bool:
    """Whether an address could be bound now."""
    try:
        bind(host, port).close()
    except OSError:
        return False
    return True


def bind_all(needs: Sequence[Need], sockets: dict[str, socket.socket]) -> dict[str, Address]:
    """Bind every address; `sockets` gets those that are handed on to a process, the others are let go. Raises `StartError`."""
    addresses: dict[str, Address] = {}
    for need in needs:
        handed_on = need.bind and can_hand_on_sockets()
        try:
            listening = bind(need.host, need.port or (0 if handed_on else free_port(need.host)))
        except OSError as error:
            raise StartError(_in_use(need, error)) from error
        addresses[need.name] = listening.getsockname()[:2]
        if handed_on:
            sockets[need.name] = listening
        else:
            listening.close()
    return addresses


def free_port(host: str) -> int:
    """A port at which nobody listens now, for somebody who binds it himself in a moment."""
    for port in _candidates(os.getpid()):
        try:
            bind(host, port).close()
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            return port
    raise AssertionError("there is always another candidate")


@cache
def _candidates(pid: int) -> Iterator[int]:
    """One row for each process: who forks begins anew."""
    return ports.candidates(pid)


def why_not(host: str, port: int, error: OSError) -> str:
    """Why an address cannot be bound, as a part of a sentence; whoever has it is named where the system tells."""
    if error.errno == errno.EADDRINUSE:
        owner = port_owner(port)
        return f"port {port} is in use{f' by {owner}' if owner else ''}"
    return f"{host}:{port} cannot be listened on: {error.strerror}"


def _in_use(need: Need, error: OSError) -> str:
    owner = port_owner(need.port)
    by = f" by {owner}" if owner else ""
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {need.port} for the stage `{need.name}` is in use{by}; "
            "stop that program, or choose another port with --port or `listen` in pipeline.toml"
        )
    return f"the stage `{need.name}` cannot listen on {need.host}:{need.port}: {error.strerror}"
