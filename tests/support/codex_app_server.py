"""Talks to `codex app-server` as Codex Desktop does: one JSON object per line, over its standard input and output.

with codex.app_server() as server:
    models = server.ask("model/list", includeHidden=False)["data"]
    thread = server.thread()
    assert thread.turn("Hello", "large").text == "Hello there."
"""

from __future__ import annotations

import json
import queue
import re
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECONDS = 60
_UNASKED = {"approvalPolicy": "never", "sandbox": "danger-full-access"}
_CLIENT = {"name": "codex-shim-tests", "title": "codex-shim's tests", "version": "1"}


class AppTurn:
    """What a turn showed its user, in the words of `codex exec --json` (codex_cli.Turn)."""

    def __init__(self, items: list[dict[str, Any]]) -> None:
        self._items = items

    def items(self, type: str) -> list[dict[str, Any]]:
        """The finished items of one type, as `codex_cli.Turn.items` names them."""
        return [item for item in self._items if item["type"] == type]

    @property
    def text(self) -> str:
        """The last words of the model."""
        return self.items("agent_message")[-1]["text"]


class AppThread:
    """A thread of turns, none of which costs a process."""

    def __init__(self, server: AppServer) -> None:
        self._server = server
        self._id: str = server.ask("thread/start", **_UNASKED)["thread"]["id"]

    def turn(self, prompt: str, model: str, *pictures: str) -> AppTurn:
        """One turn, to its good end. `pictures`: the paths of files."""
        shown = [{"type": "localImage", "path": path} for path in pictures]
        self._server.ask("turn/start", threadId=self._id, model=model, input=[*shown, {"type": "text", "text": prompt}])
        items: list[dict[str, Any]] = []
        while (told := self._server.hear("item/completed", "turn/completed"))["method"] == "item/completed":
            items.append(_as_exec_says_it(told["params"]["item"]))
        turn = told["params"]["turn"]
        assert turn["status"] == "completed", turn
        return AppTurn(items)


class AppServer:
    """A process of its own. What it tells unasked is passed over, but for what `hear` waits for."""

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

    def hear(self, *methods: str) -> dict[str, Any]:
        """The next of these notifications."""
        while (told := self._told.get(timeout=SECONDS)).get("method") not in methods:
            pass
        return told

    def thread(self) -> AppThread:
        """A new one, which asks nobody for leave, as `Codex.exec` does not."""
        return AppThread(self)

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._told.put(json.loads(line))


def _as_exec_says_it(item: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {_snake(key): value for key, value in item.items()}
    said["type"] = _snake(item["type"])
    if said["type"] == "file_change":
        said["changes"] = [{**change, "kind": change["kind"]["type"]} for change in said["changes"]]
    return said


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)
