"""LiteLLM's proxy as a provider that nobody here wrote. It invents its answers, and reaches nothing but itself.

`mocked` answers at once; for `through` the proxy translates to chat completions and asks itself for `mocked`, so that the request
is read and the answer written by its own translators. The others are named after the error they answer with.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import marked
import process_tree
from ports import free_port
from waiting import PATIENCE, until

KEY = marked.key("master")
TEXT = "Hello from the mock, é ✓."
START_SECONDS = 300
_ATTEMPTS = 3

_ERRORS = {
    "limited": "litellm.RateLimitError",
    "overflowing": "litellm.ContextWindowExceededError",
    "broken": "litellm.InternalServerError",
}


class LiteLLM:
    """`url` is the proxy's origin. Stopped, it leaves no process."""

    def __init__(self, launcher: Path, folder: Path) -> None:
        self._launcher = launcher
        self._folder = folder
        self._log = folder / "litellm.log"
        folder.mkdir(parents=True)

    def start(self) -> None:
        """Between the choice of a free port and its use, another may take it; then it is tried again."""
        for _ in range(_ATTEMPTS):
            self._port = free_port()
            self._process = self._run()
            if until(lambda: self._process.poll() is not None or self._answers(), "LiteLLM is up", START_SECONDS) and self._lives():
                return
        raise AssertionError(f"LiteLLM ended at its start:\n{self._log.read_text('utf-8', 'replace')[-2000:]}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def stop(self) -> None:
        processes = process_tree.family(self._process.pid)
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(PATIENCE)
        process_tree.kill(processes)
        until(lambda: not process_tree.alive(processes), "LiteLLM has ended")

    def _run(self) -> subprocess.Popen[bytes]:
        config = self._folder / "config.json"  # which is YAML too
        config.write_text(json.dumps(self._config()))
        command = [str(self._launcher), "--config", str(config), "--host", "127.0.0.1", "--port", str(self._port)]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=self._folder, env=self._environ(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _config(self) -> dict[str, Any]:
        nowhere = {"model": "openai/any", "api_key": "none", "api_base": "http://127.0.0.1:9"}
        itself = {"model": "openai/mocked", "api_key": KEY, "api_base": f"{self.url}/v1", "use_chat_completions_api": True}
        answers = {"mocked": {**nowhere, "mock_response": TEXT}, "through": itself}
        answers |= {name: {**nowhere, "mock_response": error} for name, error in _ERRORS.items()}
        return {
            "model_list": [{"model_name": name, "litellm_params": params} for name, params in answers.items()],
            "general_settings": {"master_key": KEY},
            "litellm_settings": {"telemetry": False, "num_retries": 0},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        }

    def _environ(self) -> dict[str, str]:
        system = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP") if name in os.environ}
        own = {"HOME": str(self._folder), "PATH": os.defpath, "PYTHONUTF8": "1", "NO_PROXY": "127.0.0.1"}
        return {**system, **own, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/health/liveliness")
            return connection.getresponse().status == 200
        return False

    def _lives(self) -> bool:
        return self._process.poll() is None
