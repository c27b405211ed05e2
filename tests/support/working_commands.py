"""Commands of `codex-shim` that go on until they are told to end: what they have printed so far, and how they end.

    with working(chain, "pipeline", "tap", "*") as tap:
        tap.wait_for("Watching")
        …
        tap.interrupt()
    assert "200" in tap.stdout

No secret may be in what they print (marked.py).
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import marked
import warm_commands
from running_chain import COMMAND_SECONDS, RunningChain
from waiting import until


class Working:
    """One command. `stdout` and `stderr` are what it has said so far, `code` is None as long as it runs."""

    def __init__(self, command: list[str], environ: dict[str, str], folder: Path) -> None:
        self._out, self._err = folder / "stdout", folder / "stderr"
        self._last: tuple[str, str] | None = None
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    @property
    def stdout(self) -> str:
        return self._last[0] if self._last else self._out.read_text("utf-8", "replace")

    @property
    def stderr(self) -> str:
        return self._last[1] if self._last else self._err.read_text("utf-8", "replace")

    @property
    def code(self) -> int | None:
        return self._process.poll()

    def wait_for(self, words: str) -> None:
        """On either output; fails where it ends without them."""
        until(lambda: words in self.stdout + self.stderr or self.code is not None, f"the command says {words!r}")
        assert words in self.stdout + self.stderr, self.stderr or self.stdout

    def interrupt(self) -> int:
        """As Ctrl-C would; returns the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        """Wait until it ends by itself; returns the exit code."""
        return self._process.wait(COMMAND_SECONDS)

    def finish(self) -> None:
        """It has ended when this returns, and its words are kept beyond their files."""
        if self.code is None:
            self._process.kill()
            self._process.wait()
        self._last = (self.stdout, self.stderr)


@contextmanager
def working(chain: RunningChain, *arguments: str) -> Iterator[Working]:
    """It has ended, whatever becomes of the test, when the block is left."""
    with tempfile.TemporaryDirectory() as folder:
        at_work = Working([*warm_commands.CLI, "--home", str(chain.home), *arguments], chain.environ, Path(folder))
        try:
            yield at_work
        finally:
            at_work.finish()
            marked.refuse(at_work.stdout + at_work.stderr, f"the output of `codex-shim {' '.join(arguments[:2])} …`")
