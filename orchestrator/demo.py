"""The demo model beside a stage that is run by hand: something that answers, without a chain and without a key."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codex_shim.stages.contract.handshake import Handshake

from .egress import DEMO
from .environment import survey
from .plan import STAGES, Address
from .sockets import bind, free_port
from .system import can_hand_on_sockets

_HOST = "127.0.0.1"


@contextmanager
def beside(folder: Path) -> Iterator[Address]:
    """Where it listens. It asks nobody for a token; what it logs is not shown. The end of its standard input, and so our own end,
    is its end."""
    if can_hand_on_sockets():
        with bind(_HOST, 0) as listening:
            address = listening.getsockname()[:2]
            process = _start(address, folder, listening.fileno())
    else:
        address = (_HOST, free_port(_HOST))
        process = _start(address, folder, None)
    try:
        yield address
    finally:
        process.communicate()


def _start(address: Address, folder: Path, listening: int | None) -> subprocess.Popen[bytes]:
    shake = Handshake(stage=DEMO, host=address[0], port=address[1], listen_fd=listening, drain_seconds=1.0)
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-P", "-m", f"{STAGES}.egress_demo"],
        env={**survey(os.environ, folder).base, **shake.environ()},
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[] if listening is None else [listening],
        start_new_session=True,
    )
