"""Talks to `codex app-server` as Codex Desktop does: one JSON object per line, over its standard input and output.

with codex.app_server() as server:
    models = server.ask("model/list", includeHidden=False)["data"]
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECONDS = 60
_CLIENT = {"name": "codex-shim-tests", "title": "codex-shim's tests", "version": "1"}


class AppServer:
    """A process of its own. What it tells unasked is passed over."""

    def __init__(self, launcher: Path, cwd: Path, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [str(launcher), "app-server"],
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._reading = threading.Thread(target=self._read, name="app-server", daemon=True)
        self._count = 0

    def __enter__(self) -> AppServer:
        self._reading.start()
        self.ask("initialize", clientInfo=_CLIENT)
        self._say({"method": "initialized"})
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(SECONDS)
        self._reading.join(SECONDS)
        self._process.stdout.close()

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The result; a refusal fails the test."""
        self._count += 1
        number = self._count
        self._say({"id": number, "method": method, "params": params})
        while True:
            told = self._told.get(timeout=SECONDS)
            if told.get("id") == number and "method" not in told:
                assert "result" in told, told
                return told["result"]

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._told.put(json.loads(line))
