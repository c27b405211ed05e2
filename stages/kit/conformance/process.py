"""The stage under test as a process: started with its handshake, heard, stopped, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from urllib.parse import urlsplit

from .subject import Subject

START_SECONDS = 20.0
LAST_LINES = 8
LONGEST_LINE = 64 * 1024
_POLL_SECONDS = 0.03
_REQUEST = '"event":"request"'
_HEALTH = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


class StartError(Exception):
    """The stage did not come up; the message holds what it said last."""


class Tested:
    """One run of the stage. A process group of its own, so that `kill` ends what it has started too."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self.requests: deque[str] = deque(maxlen=LAST_LINES)  # what it has logged of requests, if it logs as our stages do
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self.exited: asyncio.Task[int] | None = None

    @property
    def running(self) -> bool:
        return self.exited is not None and not self.exited.done()

    async def start(self) -> None:
        """Returns when the stage is ready. Raises `StartError`."""
        argv = self._subject.argv
        try:
            self._process = await asyncio.create_subprocess_exec(
                *argv,
                env=self._subject.env,
                cwd=self._subject.cwd,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise StartError(f"{argv[0]} cannot be started: {error.strerror}") from error
        self._reader = asyncio.create_task(self._read())
        self.exited = asyncio.create_task(self._process.wait())
        try:
            await self._ready()
        except BaseException:
            await self.kill()
            raise

    def ask_to_stop(self) -> None:
        """SIGTERM. On Windows there is none that can be caught; there the end of standard input is the way."""
        assert self._process is not None
        if os.name == "nt":
            self.close_stdin()
        elif self.running:
            self._process.send_signal(signal.SIGTERM)

    def close_stdin(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.close()

    async def ends_within(self, seconds: float) -> bool:
        """Whether it does; what it said is known then."""
        assert self.exited is not None and self._reader is not None
        if not (await asyncio.wait({self.exited}, timeout=seconds))[0]:
            return False
        await asyncio.wait({self._reader}, timeout=seconds)
        return True

    async def kill(self) -> None:
        """End it and its children, at once."""
        if self._process is None or self.exited is None or self._reader is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "nt":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)
        await self.exited
        await self._reader

    def last_words(self) -> str:
        """How it ended and what it printed last, as the rest of a sentence."""
        code = self.exited.result() if self.exited is not None and self.exited.done() else None
        ended = "it still runs" if code is None else f"exit code {code}" if code >= 0 else f"killed by signal {-code}"
        return ended + "".join(f"\n      │ {line}" for line in self._lines)

    async def _ready(self) -> None:
        assert self.exited is not None
        waiting = asyncio.create_task(_until_ready(self._subject))
        done, _ = await asyncio.wait({waiting, self.exited}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self.exited in done:
            assert self._reader is not None
            await self._reader
            raise StartError(f"the stage ended before it was ready: {self.last_words()}")
        if not done:
            sign = "answered GET /health with 200" if self._subject.ready == "health" else "accepted connections"
            raise StartError(f"the stage had not {sign} at {self._subject.url} after {START_SECONDS:.0f} s: {self.last_words()}")

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        rest = b""
        while chunk := await self._process.stdout.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[:LONGEST_LINE]
            for line in lines:
                self._take(line)
        self._take(rest)

    def _take(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        if text.strip():
            self._lines.append(text[:500])
        if _REQUEST in text and len(text) <= LONGEST_LINE:
            self.requests.append(text)


async def _until_ready(subject: Subject) -> None:
    while not await _probe(subject):  # noqa: ASYNC110  # another program's port sends no event
        await asyncio.sleep(_POLL_SECONDS)


async def _probe(subject: Subject) -> bool:
    parts = urlsplit(subject.url)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except OSError:
        return False
    try:
        if subject.ready == "tcp":
            return True
        writer.write(_HEALTH)
        return b" 200" in (await reader.readline())[:13]
    except OSError:
        return False
    finally:
        writer.close()
