"""`codex-shim codex` and `codex-shim app`, up to the program whose place they give way to."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator import system
from codex_shim.orchestrator.app import patching
from codex_shim.orchestrator.app.bundle import App
from codex_shim.orchestrator.app.tools import Tools
from codex_shim.orchestrator.cli import app
from codex_shim.orchestrator.codex import overrides
from codex_shim.orchestrator.commands import connect, model_questions, pipeline
from codex_shim.orchestrator.home import Home
from mac_app import FakeMac, make_app
from systems import needs_posix
from typer.testing import CliRunner

pytestmark = needs_posix

URL = "http://127.0.0.1:8765/v1"
MODELS = ["llama4", "qwen3:32b", "gemma"]
CLI = """#!/bin/sh
[ "$1" = --help ] && echo "      --no-daemon  Run without the shared server"
exit 0
"""


class Stage:
    """A home whose chain runs, says the control; `became` is what the command has given way to."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = folder / "home"
        self.home.mkdir(mode=0o700)
        (self.home / "models.json").write_text(json.dumps(MODELS))
        self.cli = folder / "codex"
        self.cli.write_text(CLI)
        self.cli.chmod(0o755)
        self.became: tuple[list[str], dict[str, str]] = ([], {})
        self.running = True
        self.started = 0
        monkeypatch.setattr(system, "become", self._become)
        monkeypatch.setattr(pipeline, "running_status", self._status)
        monkeypatch.setattr(pipeline, "bring_up", self._up)

    def shim(self, *words: str, typed: str | None = None, **environ: str | None) -> Any:
        bare = dict.fromkeys(os.environ) | {
            "PATH": os.defpath,
            "HOME": str(self.home.parent),
            "CODEX_BIN": str(self.cli),
            **environ,
        }
        return CliRunner().invoke(app, ["--home", str(self.home), *words], env=bare, input=typed)

    @property
    def settings(self) -> dict[str, Any]:
        words = self.became[0]
        return tomllib.loads("\n".join(word for place, word in enumerate(words) if place and words[place - 1] == "-c"))

    @property
    def rest(self) -> list[str]:
        """The words behind ours."""
        words = self.became[0][1:]
        while words[:1] == ["-c"]:
            words = words[2:]
        return words

    def _become(self, argv: list[str], environ: dict[str, str]) -> int:
        self.became = (argv, environ)
        return 7

    def _status(self) -> dict[str, Any]:
        return {"running": True, "url": URL, "stages": []} if self.running else {"running": False, "stages": []}

    def _up(self, *, detach: bool, port: int | None) -> int:
        assert (detach, port) == (True, None)
        self.started, self.running = self.started + 1, True
        return 0


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage(tmp_path, monkeypatch)
    assert made.shim("generate").exit_code == 0
    return made


def test_codex_takes_the_place_with_its_own_words_and_the_token_in_a_variable(stage: Stage) -> None:
    done = stage.shim("codex", "--", "exec", "-m", "mine", "--", "-x", NO_PROXY="corp.example")
    token = (stage.home / "token").read_text().strip()
    assert (done.exit_code, stage.rest, stage.became[0][0]) == (7, ["exec", "-m", "mine", "--", "-x"], str(stage.cli))
    assert stage.settings["model_providers"]["codex_shim"]["base_url"] == URL
    assert not any(token in word for word in stage.became[0])
    assert stage.became[1][overrides.VARIABLE] == token
    assert stage.became[1]["no_proxy"] == "corp.example,127.0.0.1,localhost"
    assert {path.name for path in stage.home.parent.iterdir()} == {"home", "codex"}, "nothing of the user's own Codex is written"


def test_d60_the_model_of_model_use_counts_and_one_that_is_named_counts_more(stage: Stage) -> None:
    stage.shim("codex", "exec", "hi")
    assert (stage.settings["model"], stage.rest) == ("llama4", ["exec", "hi"])
    stage.shim("model", "use", "qwen")
    stage.shim("codex")
    assert stage.settings["model"] == "qwen3-32b"
    stage.shim("codex", "-m", "gemma", "--search")
    assert (stage.settings["model"], stage.rest) == ("gemma", ["--no-daemon", "--search"])
    assert stage.shim("codex", "-m", "QWEN3:32B").exit_code == 7
    assert stage.settings["model"] == "qwen3-32b"


def test_a_model_that_is_not_there_is_named(stage: Stage) -> None:
    done = stage.shim("codex", "-m", "gema", "exec", "hi")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (1, "error: there is no model named `gema`; did you mean `gemma`?")
    assert stage.became == ([], {})


def test_its_screen_leaves_no_server_behind_where_codex_knows_how(stage: Stage) -> None:
    stage.shim("codex")
    assert stage.rest == ["--no-daemon"]
    stage.shim("codex", "--", "resume", "--last")
    assert stage.rest == ["--no-daemon", "resume", "--last"]
    stage.cli.write_text("#!/bin/sh\n")
    stage.shim("codex")
    assert stage.rest == []


def test_the_chain_is_started_where_it_does_not_run(stage: Stage) -> None:
    stage.running = False
    assert stage.shim("codex", "exec", "hi").exit_code == 7
    assert (stage.started, stage.rest) == (1, ["exec", "hi"])


def test_without_the_cli_its_install_command_is_told_and_nothing_is_started(stage: Stage) -> None:
    stage.running = False
    done = stage.shim("codex", "exec", "hi", CODEX_BIN=None)
    assert (done.exit_code, stage.started) == (1, 0)
    assert "npm install -g @openai/codex" in done.stderr


# -- Desktop ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def enabled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The models with which `enable` was called, on a system that has Desktop."""
    asked: list[Any] = []
    note: Callable[..., None] = lambda *, keep_threads, keep_login, model: asked.append((keep_threads, keep_login, model))  # noqa: E731
    monkeypatch.setattr(connect, "enable", note)
    monkeypatch.setattr(system, "has_codex_desktop", lambda: True)
    return asked


def test_where_there_is_no_desktop_the_cli_is_named(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "has_codex_desktop", lambda: False)
    done = stage.shim("app")
    assert (done.exit_code, "here `codex-shim codex` runs the CLI" in done.stderr) == (1, True)


def test_nothing_of_the_users_is_written_unless_they_say_so(
    stage: Stage, enabled: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = stage.shim("app")
    assert (done.exit_code, "run `codex-shim enable` first" in done.stderr) == (1, True)
    monkeypatch.setattr(model_questions, "can_ask", lambda: True)
    assert stage.shim("app", typed="n\n").exit_code == 1
    assert (enabled, stage.became) == ([], ([], {}))
    assert stage.shim("app", typed="\n").exit_code == 7
    assert (enabled, stage.became[0]) == ([(None, None, None)], [str(stage.cli), "app"])


def test_a_codex_that_leads_here_opens_with_the_model(stage: Stage, enabled: list[Any], tmp_path: Path) -> None:
    own = tmp_path / ".codex" / "config.toml"
    own.parent.mkdir()
    own.write_text((stage.home / "codex-home" / "config.toml").read_text())
    assert stage.shim("app", str(tmp_path), "-m", "gemma").exit_code == 7
    assert (enabled, stage.became[0]) == ([(None, None, "gemma")], [str(stage.cli), "app", str(tmp_path)])


def test_the_copy_that_was_patched_is_opened_in_place_of_the_app(
    stage: Stage, enabled: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The app is an administrator's, so the patch is in a copy, which the CLI does not know."""
    own = tmp_path / ".codex" / "config.toml"
    own.parent.mkdir()
    own.write_text((stage.home / "codex-home" / "config.toml").read_text())
    app = App(make_app(tmp_path / "Applications" / "Codex.app"))
    monkeypatch.setattr(patching, "writable", lambda app: False)
    (tmp_path / "user").mkdir()
    copy = patching.patch(app, Home(stage.home), Tools(FakeMac()), tmp_path / "user").app
    monkeypatch.setattr(system, "has_app_bundles", lambda: False)
    stage.shim("app")
    assert stage.became[0] == [str(stage.cli), "app"]
    monkeypatch.setattr(system, "has_app_bundles", lambda: True)
    current = stage.shim("app", str(tmp_path), "-m", "gemma", CODEX_BIN=None)
    assert stage.became[0] == ["/usr/bin/open", "-a", str(copy), str(tmp_path)]
    assert "by now" not in current.stderr
    app.info_file.write_bytes(app.info_file.read_bytes().replace(b"26.810.4", b"26.900.1"))
    older = stage.shim("app")
    assert stage.became[0] == ["/usr/bin/open", "-a", str(copy)]
    assert "is a copy of version 26.810.4, and the app is at 26.900.1 by now" in older.stderr
    App(copy).archive_file.write_bytes(app.archive_file.read_bytes())
    stage.shim("app")
    assert stage.became[0] == [str(stage.cli), "app"], "it is not what was made, so it may not even start"
