"""Runs the real Codex CLI against a chain, with the configuration the chain wrote, and shut off from everything else.

Its home, its Codex home and its temporary folder are its own; every proxy variable leads nowhere except for loopback; analytics,
plugins and apps are off, so that the chain is all it ever talks to.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from codex_app_server import AppServer
from running_chain import RunningChain

SECONDS = 60

_NOWHERE = "http://127.0.0.1:9"
_LOCAL = "127.0.0.1,localhost,::1"
_FLAGS = ("--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
_TOP_SWITCHES = "check_for_update_on_startup = false\nsuppress_unstable_features_warning = true\n"
_TABLE_SWITCHES = "\n[analytics]\nenabled = false\n\n[features]\napps = false\nplugins = false\n"


class Turn:
    """What one `codex exec --json` showed its user."""

    def __init__(self, code: int, output: str, errors: str) -> None:
        self.code = code
        self.stderr = errors
        self.events: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines() if line.startswith("{")]

    def items(self, type: str) -> list[dict[str, Any]]:
        """The finished items of one type: `agent_message`, `reasoning`, `command_execution`, `file_change`, `mcp_tool_call`."""
        done = [event["item"] for event in self.events if event["type"] == "item.completed"]
        return [item for item in done if item["type"] == type]

    @property
    def text(self) -> str:
        """The last words of the model."""
        said = self.items("agent_message")
        assert said, f"the model said nothing: {self.events}; stderr: {self.stderr}"
        return said[-1]["text"]

    @property
    def usage(self) -> dict[str, Any]:
        return self._one("turn.completed")["usage"]

    @property
    def failure(self) -> str:
        """What the user reads when the turn has failed."""
        return self._one("turn.failed")["error"]["message"]

    @property
    def reconnects(self) -> list[str]:
        """What the user reads between two attempts."""
        return [
            event["message"] for event in self.events if event["type"] == "error" and event["message"].startswith("Reconnecting")
        ]

    def _one(self, type: str) -> dict[str, Any]:
        found = [event for event in self.events if event["type"] == type]
        assert len(found) == 1, f"no {type} in {self.events}; stderr: {self.stderr}"
        return found[0]


class RunningTurn:
    """A turn under way."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def interrupt(self) -> None:
        """What Ctrl-C in a terminal does: SIGINT to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait(self, seconds: float = SECONDS) -> Turn:
        try:
            output, errors = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            output, errors = self.process.communicate()
            raise AssertionError(f"codex did not end within {seconds:g} s: {output}{errors}") from None
        return Turn(self.process.returncode, output, errors)


class Codex:
    """The CLI with one home below `folder`. `workspace` is where its turns run, `environ` what its environment holds besides."""

    def __init__(self, launcher: Path, folder: Path) -> None:
        self.launcher = launcher
        self.home = folder / "codex-home"
        self.workspace = folder / "workspace"
        self.environ: dict[str, str] = {}
        self._temporary = folder / "tmp"
        self._user = folder / "codex-user"
        for each in (self.home, self.workspace, self._temporary, self._user):
            each.mkdir(parents=True)

    def use(self, chain: RunningChain, extra: str = "") -> None:
        """Take the config.toml that `generate` wrote for this chain, with `extra` tables behind it."""
        self.configure((chain.home / "codex-home" / "config.toml").read_text(), extra)

    def configure(self, config: str, extra: str = "") -> None:
        """Take another config.toml, shut off from the network like that one."""
        (self.home / "config.toml").write_text(_TOP_SWITCHES + config + _TABLE_SWITCHES + extra)

    def exec(self, prompt: str, *flags: str) -> Turn:
        """One turn, to its end."""
        return self.start(prompt, *flags).wait()

    def start(self, prompt: str, *flags: str) -> RunningTurn:
        return RunningTurn(
            subprocess.Popen(
                [str(self.launcher), "exec", *_FLAGS, *flags, "--", prompt],
                cwd=self.workspace,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )

    def models(self, *flags: str) -> list[dict[str, Any]]:
        """`codex debug models`: the catalog as Codex takes it."""
        return json.loads(self.command("debug", "models", *flags).stdout)["models"]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Any other command of the CLI; it must succeed."""
        done = subprocess.run(
            [str(self.launcher), *words],
            cwd=self.workspace,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr or done.stdout
        return done

    def app_server(self) -> AppServer:
        """What Codex Desktop talks to."""
        return AppServer(self.launcher, self.workspace, self.environment())

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._user),
            "CODEX_HOME": str(self.home),
            "TMPDIR": str(self._temporary),
            **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), _LOCAL),
            **self.environ,
        }
