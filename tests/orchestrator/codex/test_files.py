"""The generated files: ours are kept right, what Codex and the user wrote beside them stays."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from codex_shim.orchestrator.codex import files
from codex_shim.orchestrator.home import Home
from systems import needs_modes

CATALOG = [{"slug": "kimi"}, {"slug": "qwen"}]
URL = "http://127.0.0.1:8765/v1"


def write(home: Home, catalog=CATALOG, url: str = URL) -> dict[str, str]:
    return {Path(each.path).name: each.change for each in files.write(home, catalog, url, "the-token")}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@needs_modes
def test_what_codex_needs_is_in_them(home: Home) -> None:
    assert write(home) == {"custom_model_catalog.json": "created", "config.toml": "created"}
    config = tomllib.loads(home.codex_config.read_text())
    assert (config["model"], config["model_provider"]) == ("kimi", "codex_shim")
    assert config["model_providers"]["codex_shim"] == {
        "name": "codex-shim",
        "base_url": URL,
        "wire_api": "responses",
        "experimental_bearer_token": "the-token",
        "stream_idle_timeout_ms": 600_000,
    }
    assert json.loads(Path(config["model_catalog_json"]).read_text()) == {"models": CATALOG}
    assert home.codex_config.stat().st_mode & 0o777 == 0o600
    assert home.root.stat().st_mode & 0o777 == 0o700


def test_a_second_time_nothing_is_written(home: Home) -> None:
    write(home)
    before = home.codex_config.stat().st_mtime_ns
    assert write(home) == {"custom_model_catalog.json": "unchanged", "config.toml": "unchanged"}
    assert home.codex_config.stat().st_mtime_ns == before


def test_what_codex_and_the_user_added_stays(home: Home) -> None:
    write(home)
    text = home.codex_config.read_text().replace('model = "kimi"', 'model = "qwen" # my choice')
    text += '\n[projects."/work"]\ntrust_level = "trusted"   # asked once\n'
    home.codex_config.write_text(text)
    assert write(home, url="http://127.0.0.1:9999/v1")["config.toml"] == "updated"
    after = home.codex_config.read_text()
    assert after == text.replace("127.0.0.1:8765", "127.0.0.1:9999")


def test_a_chosen_model_that_is_gone_is_replaced(home: Home) -> None:
    write(home)
    assert write(home, catalog=[{"slug": "other"}])["config.toml"] == "updated"
    assert tomllib.loads(home.codex_config.read_text())["model"] == "other"


def test_a_chosen_model_whose_login_is_not_usable_just_now_stays_chosen(home: Home) -> None:
    files.write(home, [{"slug": "composer-2-5"}], URL, "the-token")
    files.write(home, CATALOG, URL, "the-token", choosable=["composer-2-5"])
    assert tomllib.loads(home.codex_config.read_text())["model"] == "composer-2-5"
    files.write(home, CATALOG, URL, "the-token")
    assert tomllib.loads(home.codex_config.read_text())["model"] == "kimi"


@pytest.mark.parametrize("content", [b"model = ", b"\xff\xfe", b"[a]\n[a]\n"])
def test_a_file_that_is_no_toml_is_left_alone(home: Home, content: bytes) -> None:
    write(home)
    home.codex_config.write_bytes(content)
    assert write(home)["config.toml"] == "left as it is: not valid TOML"
    assert home.codex_config.read_bytes() == content
