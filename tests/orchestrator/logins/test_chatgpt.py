"""The ChatGPT login: where it is looked for, and when it can be used."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from codex_shim.orchestrator.home import Home
from codex_shim.orchestrator.logins import chatgpt

NOW = 1_800_000_000.0


def token(**claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{middle}.sig"


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_a_login_is_usable_until_its_token_expires(tmp_path: Path) -> None:
    path = write(tmp_path / "auth.json", {"tokens": {"access_token": token(exp=NOW + 60), "account_id": "acc"}})
    state = chatgpt.check(path, NOW)
    assert (state.usable, state.until) == (True, NOW + 60)
    assert state.reason == "Codex is logged in with ChatGPT until 2027-01-15 08:01 UTC"


def test_d55_an_expired_token_is_not_usable_and_says_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path / "auth.json", {"tokens": {"access_token": token(exp=1), "account_id": "acc"}})
    state = chatgpt.check(path, NOW)
    assert (state.usable, state.reason) == (False, "the ChatGPT login has expired (1970-01-01 00:00 UTC); run `codex login`")


@pytest.mark.parametrize("content", [{}, {"OPENAI_API_KEY": "sk-secret"}, {"tokens": None}, {"tokens": {"access_token": ""}}, []])
def test_without_a_token_there_is_no_login(tmp_path: Path, content: object) -> None:
    state = chatgpt.check(write(tmp_path / "auth.json", content), NOW)
    assert not state.usable
    assert "`codex login`" in state.reason
    assert "sk-secret" not in state.reason


def test_a_missing_file_is_no_login(tmp_path: Path) -> None:
    state = chatgpt.check(tmp_path / "auth.json", NOW)
    assert (state.usable, state.reason) == (False, "Codex is not logged in with ChatGPT; run `codex login`")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('cli_auth_credentials_store = "keyring"', "in the system's keyring"),
        ('cli_auth_credentials_store = "auto"', "in the system's keyring"),
        ('cli_auth_credentials_store = "ephemeral"', "in memory alone"),
        ('cli_auth_credentials_store = "file"', None),
        ('cli_auth_credentials_store = ["keyring"]', None),
        ('[profiles.x]\ncli_auth_credentials_store = "keyring"', None),
        ("cli_auth_credentials_store = ", None),
    ],
)
def test_a_login_that_lies_where_the_chain_cannot_look_is_told_of(tmp_path: Path, config: str, words: str | None) -> None:
    (tmp_path / "config.toml").write_text(config)
    path = tmp_path / "auth.json"
    for _ in range(2):  # without a file, and with what an earlier login has left
        state = chatgpt.check(path, NOW)
        assert (state.usable, "cannot be listed" in state.reason) == (False, words is not None)
        assert words is None or (words in state.reason and 'cli_auth_credentials_store = "file"' in state.reason)
        write(path, {"tokens": {"access_token": token(exp=1)}})
    write(path, {"tokens": {"access_token": token(exp=NOW + 60)}})
    assert chatgpt.check(path, NOW).usable, "a file that can be used is used"


def test_a_token_that_says_nothing_of_its_end_is_usable(tmp_path: Path) -> None:
    state = chatgpt.check(write(tmp_path / "auth.json", {"tokens": {"access_token": "opaque"}}), NOW)
    assert (state.usable, state.until) == (True, None)


def test_an_absurd_expiry_is_no_error(tmp_path: Path) -> None:
    assert chatgpt.check(write(tmp_path / "auth.json", {"tokens": {"access_token": token(exp=1e300)}}), NOW).usable


def test_the_users_codex_home_counts_and_ours_does_not(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert chatgpt.auth_file(environ) == tmp_path / ".codex" / "auth.json"
    assert chatgpt.auth_file({**environ, "CODEX_HOME": str(tmp_path / "other")}) == tmp_path / "other" / "auth.json"
    assert not chatgpt.check(chatgpt.auth_file({**environ, "CODEX_HOME": "~nobody-of-that-name/x"}), NOW).usable
    ours = Home(tmp_path / "shim")
    ours.local_token()
    assert chatgpt.auth_file({**environ, "CODEX_HOME": str(ours.codex_home)}) == tmp_path / ".codex" / "auth.json"


@pytest.mark.parametrize(("value", "off"), [("1", True), ("true", True), ("YES", True), ("on", True), ("0", False), ("", False)])
def test_a_switch_turns_it_off(value: str, off: bool) -> None:
    assert chatgpt.disabled({"CODEX_SHIM_DISABLE_CHATGPT": value}) is off
    assert chatgpt.disabled({}) is False
