"""`codex-shim picker`, with the browser and the chain replaced."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator.cli import app
from codex_shim.orchestrator.commands import pipeline
from typer.testing import CliRunner

PAGE = "http://127.0.0.1:8765/picker"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser was told to open, where a chain runs."""
    pages: list[str] = []
    told = {"running": True, "url": "http://127.0.0.1:8765/v1", "stages": [{"name": "ingress"}, {"name": "desk"}]}
    monkeypatch.setattr(pipeline, "running_status", lambda: told)
    monkeypatch.setattr(webbrowser, "open", lambda page: pages.append(page) or True)
    return pages


def shim(tmp_path: Path, *words: str) -> Any:
    return CliRunner().invoke(app, ["--home", str(tmp_path), *words], env={"PATH": os.defpath, "HOME": str(tmp_path)})


def test_the_page_is_opened_and_its_address_told(tmp_path: Path, opened: list[str]) -> None:
    done = shim(tmp_path, "picker")
    assert (done.exit_code, done.stdout, opened) == (0, PAGE + "\n", [PAGE])


def test_print_opens_nothing(tmp_path: Path, opened: list[str]) -> None:
    assert shim(tmp_path, "picker", "--print").stdout == PAGE + "\n"
    assert opened == []


def test_without_a_browser_the_address_is_there_to_be_copied(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda page: False)
    done = shim(tmp_path, "picker")
    assert (done.exit_code, done.stdout, "open the address above" in done.stderr) == (1, PAGE + "\n", True)


def test_without_a_chain_it_says_what_to_do(tmp_path: Path) -> None:
    done = shim(tmp_path, "picker", "--print")
    assert done.exit_code == 1
    assert "start it with `codex-shim start`. `codex-shim model use NAME` chooses a model without it" in done.stderr


def test_a_chain_of_an_older_version_has_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "running_status", lambda: {"running": True, "url": "", "stages": [{"name": "ingress"}]})
    done = shim(tmp_path, "picker")
    assert (done.exit_code, "`codex-shim restart`" in done.stderr) == (1, True)
