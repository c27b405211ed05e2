"""A stage as a process: handshake, event loop, server, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from typing import Any, NoReturn

from ..contract.handshake import Handshake
from .lifeline import stop_requested
from .logs import STDERR, Log
from .loop import loop_factory
from .server import BACKLOG, StageServer
from .settings import give_up, read_config, read_handshake
from .stage import Context, Stage

MOST_DESCRIPTORS = 65536


def run(stage_type: type[Stage[Any]]) -> NoReturn:
    """The whole of a stage's `__main__`. Returns to the system with 0 after a stop, 78 where the settings are unusable."""
    handshake = read_handshake()
    config = read_config(handshake.config, stage_type.config_type)
    if not sys.stderr.isatty():
        _never_wait_for(STDERR)
    allow_many_connections()
    context = Context(handshake, config, Log(handshake.stage))
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(stage_type(context)))
    raise SystemExit(0)


async def serve(stage: Stage[Any]) -> None:
    """Serve until a stop is requested, then drain."""
    context = stage.context
    stop = stop_requested(asyncio.get_running_loop())
    listening = listening_socket(context.handshake)
    server = StageServer(stage)
    try:
        await stage.open()
        await server.start(listening)
        context.log.event("ready", pid=os.getpid(), listen=f"{context.handshake.host}:{context.handshake.port}")
        await stop.asked.wait()
        await server.refuse()
        context.log.event("draining")
        await server.finish(stop.limited)
    finally:
        await server.stop()
        await stage.close()
        await context.client.close()
        context.log.flush()


def listening_socket(handshake: Handshake) -> socket.socket:
    """The inherited socket, or a new one bound to the address of the handshake."""
    if handshake.listen_fd is not None:
        inherited = socket.socket(fileno=handshake.listen_fd)
        inherited.setblocking(False)
        return inherited
    try:
        return socket.create_server((handshake.host, handshake.port), backlog=BACKLOG)
    except OSError as error:
        give_up(f"{handshake.stage} cannot listen on {handshake.host}:{handshake.port}: {error.strerror}")


def allow_many_connections() -> None:
    """A stage holds two descriptors per stream, and the usual soft limit is 1024; the hard one is the system's own."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _never_wait_for(descriptor: int) -> None:
    """A log pipe that nobody empties must not stop the loop; Log counts what it cannot write."""
    if sys.platform != "win32":
        os.set_blocking(descriptor, False)
