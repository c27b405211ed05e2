"""The two helpers of a run, upstream and client, and how they are told what to do."""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from .jobs import Job, Outcome
from .script import Script
from .worker import started

_HOST = "127.0.0.1"
_PACKAGE = __package__ or ""


class DriverError(Exception):
    """A helper of the benchmark itself is gone."""


class Driver:
    """Asks for one job at a time: the upstream is told its script, then the client runs."""

    def __init__(self, upstream_port: int, client: subprocess.Popen[bytes]) -> None:
        self.upstream_port = upstream_port
        self.base_url = f"http://{_HOST}:{upstream_port}/v1"
        self._client = client
        self._script: Script | None = None

    def ask(self, job: Job) -> Outcome:
        if job.script != self._script:
            self._tell_upstream(job.script)
        try:
            line = self._ask_client(msgspec.json.encode(job) + b"\n")
        except KeyboardInterrupt:
            self._client.kill()  # what it has under way would keep everything else from ending
            raise
        if not line:
            raise DriverError("the benchmark's client process has ended; this is a fault of the benchmark")
        return msgspec.json.decode(line, type=Outcome)

    def _ask_client(self, line: bytes) -> bytes:
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._client.stdin.write(line)
        self._client.stdin.flush()
        return self._client.stdout.readline()

    def _tell_upstream(self, script: Script) -> None:
        connection = http.client.HTTPConnection(_HOST, self.upstream_port, timeout=10)
        try:
            connection.request("POST", "/script", msgspec.json.encode(script))
            connection.getresponse().read()
        finally:
            connection.close()
        self._script = script


@contextmanager
def upstream(port: int) -> Iterator[int]:
    """The port it listens on."""
    with started(f"{_PACKAGE}.upstream", [str(port)]) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise DriverError(f"the scripted upstream cannot listen on port {port}; choose another with --upstream-port")
        yield int(said)


@contextmanager
def driver(port: int) -> Iterator[Driver]:
    with upstream(port) as listening, started(f"{_PACKAGE}.load") as client:
        yield Driver(listening, client)
