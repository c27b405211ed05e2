"""`codex-shim list --providers` shows the packaged providers and the user's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from codex_shim.orchestrator.cli import app
from typer.testing import CliRunner


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "providers.toml").write_text("[gateway]\nlike = 'deepseek'\nbase_url = 'https://llm.example.com/v1'\n")
    return tmp_path


def test_each_with_its_language_address_variable_and_window(home: Path) -> None:
    answer = CliRunner().invoke(app, ["--home", str(home), "list", "--providers"])
    assert answer.exit_code == 0
    lines = {line.split()[0]: line.split()[1:] for line in answer.output.splitlines() if line.split()}
    assert lines["deepseek"] == ["chat", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", "128000"]
    assert lines["gateway"] == ["chat", "https://llm.example.com/v1", "-", "128000"]


def test_as_json(home: Path) -> None:
    answer = CliRunner().invoke(app, ["--home", str(home), "list", "--providers", "--json"])
    providers = {each["name"]: each for each in json.loads(answer.output)["providers"]}
    assert providers["ollama"]["base_url"] == "http://127.0.0.1:11434/v1"
    assert providers["ollama"]["key_env"] is None


def test_a_broken_file_is_named(home: Path) -> None:
    (home / "providers.toml").write_text("[x]\n")
    answer = CliRunner().invoke(app, ["--home", str(home), "list", "--providers"])
    assert answer.exit_code == 78
    assert "providers.toml:1:1: [x] has no `dialect`" in answer.output
