"""The fork server ends what foreign programs have started, however they and its own parent end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import process_tree
import pytest
from systems import needs_linux
from waiting import PATIENCE, until

pytestmark = needs_linux

# A program with a child in its group, neither of which watches its standard input.
PARENT_AND_CHILD = ["sh", "-c", "sleep 1000 & wait"]


class Server:
    """A real one, and the parent's end of its socket."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "codex_shim.stages.kit.forkserver", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        self.control.settimeout(PATIENCE)
        self.seen: set[process_tree.Process] = set()

    def ask(self, argv: list[str]) -> None:
        message = {"id": 1, "kind": "command", "argv": argv, "env": {"PATH": os.defpath}, "cwd": "/", "title": "test"}
        with open(os.devnull, "r+b") as nothing:
            socket.send_fds(self.control, [json.dumps(message).encode()], [nothing.fileno()] * 3)

    def read(self) -> dict[str, Any]:
        return json.loads(self.control.recv(65536))

    def family(self, size: int) -> set[process_tree.Process]:
        """The server's descendants, once there are so many."""
        until(lambda: len(process_tree.family(self.process.pid)) == size + 1, f"{size} processes were started")
        found = {each for each in process_tree.family(self.process.pid) if each.pid != self.process.pid}
        self.seen |= found
        return found


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.control.close()
    server.process.communicate(timeout=PATIENCE)
    process_tree.kill(server.seen)


def test_a_programs_child_goes_when_the_program_dies(server: Server) -> None:
    server.ask(PARENT_AND_CHILD)
    pid = server.read()["pid"]
    family = server.family(2)
    os.kill(pid, signal.SIGKILL)
    assert server.read() == {"pid": pid, "status": signal.SIGKILL}
    until(lambda: not process_tree.alive(family), "the child is gone too")


@pytest.mark.parametrize("read_first", [True, False], ids=["answers read", "answers unread: the socket is reset"])
def test_programs_and_their_children_go_when_the_parent_does(server: Server, read_first: bool) -> None:
    server.ask(PARENT_AND_CHILD)
    if read_first:
        server.read()
    family = server.family(2)
    server.control.close()
    until(lambda: not process_tree.alive(family), "both are gone")
    _, errors = server.process.communicate(timeout=PATIENCE)
    assert (server.process.returncode, errors) == (0, "")


def test_a_program_that_is_not_there_is_told_in_its_own_output(server: Server) -> None:
    server.ask(["/nowhere/stage"])
    pid = server.read()["pid"]
    assert server.read() == {"pid": pid, "status": 127 << 8}
