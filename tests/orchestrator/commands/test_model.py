"""`codex-shim model list` and `model use`."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator.cli import app
from systems import needs_modes
from typer.testing import CliRunner

MODELS = [
    {"model": "qwen3:32b", "provider": "ollama", "display_name": "Qwen at home"},
    {"model": "llama4", "provider": "ollama"},
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "models.json").write_text(json.dumps(MODELS))
    return tmp_path / "home"


def shim(home: Path, *words: str, **environ: str) -> Any:
    bare = dict.fromkeys(os.environ) | {"PATH": os.defpath, "HOME": str(home.parent), **environ}
    return CliRunner().invoke(app, ["--home", str(home), *words], env=bare)


def config(home: Path) -> dict:
    return tomllib.loads((home / "codex-home" / "config.toml").read_text())


def agent(home: Path, logged_in: bool) -> dict[str, str]:
    """A cursor-agent that knows nothing but `status`, and is sure of that."""
    path = home.parent / "cursor-agent"
    path.write_text(f"#!{sys.executable} -SE\nprint({json.dumps({'isAuthenticated': logged_in})!r})\n")
    path.chmod(0o755)
    return {"CURSOR_AGENT_BIN": str(path)}


def test_a_key_that_nobody_knows_is_named_and_its_row_is_not_called_left_out(home: Path) -> None:
    (home / "models.json").write_text(json.dumps([{**MODELS[1], "colour": 1}]))
    done = shim(home, "model", "list")
    assert (done.exit_code, "llama4" in done.stdout, "left out" in done.output) == (0, True, False)
    assert "unknown key `colour` is ignored" in next(line for line in done.stderr.splitlines() if line.startswith("problem: "))


def test_list_is_the_list(home: Path) -> None:
    assert shim(home, "model", "list", "--json").stdout == shim(home, "list", "--json").stdout
    assert "qwen3-32b" in shim(home, "model", "list").stdout


@pytest.mark.parametrize(("word", "slug"), [("llama4", "llama4"), ("qwen3:32b", "qwen3-32b"), ("at HOME", "qwen3-32b")])
def test_use_writes_the_model_and_says_what_to_type_next(home: Path, word: str, slug: str) -> None:
    done = shim(home, "model", "use", word)
    assert (done.exit_code, config(home)["model"]) == (0, slug)
    assert done.stdout.splitlines()[-1] == f"Codex starts with {slug} from now on. Next: codex-shim start"
    assert {path.name for path in home.parent.iterdir()} == {"home"}, "nothing of the user's own Codex is written"


@needs_modes
def test_use_keeps_what_codex_and_the_user_wrote_and_says_so_to_programs(home: Path) -> None:
    shim(home, "model", "use", "llama4")
    file = home / "codex-home" / "config.toml"
    file.write_text(file.read_text() + '\n[projects."/work"] # mine\ntrust_level = "trusted"\n')
    told = json.loads(shim(home, "model", "use", "qwen3-32b", "--json").stdout)
    assert (told["model"], told["next"]) == ("qwen3-32b", "codex-shim start")
    assert [change for _, change in told["files"]] == ["unchanged", "updated"]
    assert '[projects."/work"] # mine\ntrust_level = "trusted"\n' in file.read_text()
    assert (file.stat().st_mode & 0o777, config(home)["model"]) == (0o600, "qwen3-32b")


def test_use_says_which_models_there_are(home: Path) -> None:
    unknown = shim(home, "model", "use", "llama5")
    assert (unknown.exit_code, unknown.stderr.splitlines()[-1]) == (
        1,
        "error: there is no model named `llama5`; did you mean `llama4`?",
    )
    vague = shim(home, "model", "use", "a")
    assert vague.stderr.splitlines()[-1] == "error: `a` fits 2 models; name one of them by its slug: qwen3-32b, llama4"
    assert not (home / "codex-home").exists()


def test_of_a_row_that_is_left_out_the_reason_is_told(home: Path) -> None:
    (home / "models.json").write_text(json.dumps([*MODELS, {"model": "grok-5", "provider": "xai", "api_key_env": "MY_KEY"}]))
    done = shim(home, "model", "use", "grok-5")
    last = done.stderr.splitlines()[-1]
    assert (done.exit_code, last.startswith(f"error: `grok-5` is not on offer: {home / 'models.json'}:1:")) == (1, True), last
    assert last.endswith(": model `grok-5`: its key is missing: set the environment variable MY_KEY")


def test_use_does_not_touch_a_configuration_that_is_no_toml(home: Path) -> None:
    shim(home, "generate")
    (home / "codex-home" / "config.toml").write_text("model = ")
    done = shim(home, "model", "use", "llama4")
    assert (done.exit_code, "is not valid TOML" in done.stderr) == (1, True)
    assert (home / "codex-home" / "config.toml").read_text() == "model = "


def test_the_demo_can_be_used_where_there_is_nothing_else(home: Path) -> None:
    (home / "models.json").unlink()
    assert shim(home, "model", "use", "demo").exit_code == 0
    assert config(home)["model"] == "demo"


@pytest.mark.parametrize("word", ["composer-2-5", "composer-2.5", "Composer 2.5"])
def test_a_subscriptions_model_is_chosen_while_its_login_is_usable(home: Path, word: str) -> None:
    done = shim(home, "model", "use", word, **agent(home, logged_in=True))
    assert (done.exit_code, config(home)["model"]) == (0, "composer-2-5"), done.output


def test_without_its_login_the_reason_and_the_remedy_are_told(home: Path) -> None:
    done = shim(home, "model", "use", "composer-2-5", **agent(home, logged_in=False))
    expected = "error: `composer-2-5` is not on offer: Cursor is not logged in; run `cursor-agent login`"
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (1, expected)
