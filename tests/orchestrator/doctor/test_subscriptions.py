"""The two logins. That somebody has none is no fault; one that has come to its end is worth a warning."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import pytest
from codex_shim.orchestrator.doctor import generated, subscriptions
from codex_shim.orchestrator.doctor.subject import Running
from codex_shim.orchestrator.logins.state import LoginState


def auth_file(tmp_path: Path, content: dict) -> None:
    folder = tmp_path / "user" / ".codex"
    folder.mkdir(parents=True)
    (folder / "auth.json").write_text(json.dumps(content))


def token(expires: int) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
    return f"marked.{claims}.marked"


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        ({"tokens": {"access_token": token(4_000_000_000)}}, "OK", "logged in with ChatGPT until 2096-10-02"),
        ({"tokens": {"access_token": token(1)}}, "WARN", "the ChatGPT login has expired"),
        ({"OPENAI_API_KEY": "sk-marked"}, "INFO", "not logged in with ChatGPT"),
        (None, "INFO", "not logged in with ChatGPT"),
    ],
)
def test_chatgpt_by_its_file(subject, tmp_path: Path, content: dict | None, status: str, words: str) -> None:
    if content is not None:
        auth_file(tmp_path, content)
    (check,) = subscriptions.check_chatgpt(subject())
    assert (check.status, words in check.message) == (status, True)
    assert status == "OK" or check.remedy in ("run `codex login`", "`codex login`")
    assert "marked" not in repr(check)


def test_a_login_in_the_keyring_is_no_fault_but_why_nothing_is_listed(subject, tmp_path: Path) -> None:
    auth_file(tmp_path, {})
    (tmp_path / "user" / ".codex" / "config.toml").write_text('cli_auth_credentials_store = "keyring"\n')
    (check,) = subscriptions.check_chatgpt(subject())
    assert (check.status, "ChatGPT's models cannot be listed" in check.message) == ("INFO", True)
    assert 'cli_auth_credentials_store = "file"' in (check.remedy or "")


def test_a_chain_that_looks_for_the_login_elsewhere_is_told_of(subject, tmp_path: Path) -> None:
    auth_file(tmp_path, {"tokens": {"access_token": token(4_000_000_000)}})
    looked_at = subject()
    for usable, statuses in ((True, ["OK"]), (False, ["OK", "WARN"])):
        known = LoginState(usable=usable, reason="it is switched off by CODEX_SHIM_DISABLE_CHATGPT")
        looked_at.running = Running(answered=True, since=0.0, logins={"chatgpt": known})
        checks = subscriptions.check_chatgpt(looked_at)
        assert [check.status for check in checks] == statuses
    assert "switched off" in checks[-1].message
    assert "`codex-shim restart`" in (checks[-1].remedy or "")


def test_each_can_be_switched_off(subject) -> None:
    looked_at = subject(environ={"CODEX_SHIM_DISABLE_CHATGPT": "1", "CODEX_SHIM_DISABLE_CURSOR": "yes"})
    for checks in (subscriptions.check_chatgpt(looked_at), subscriptions.check_cursor(looked_at)):
        assert [(check.status, "switched off" in check.message) for check in checks] == [("INFO", True)]


def agent(tmp_path: Path, authenticated: bool) -> dict[str, str]:
    path = tmp_path / "cursor-agent"
    answer = json.dumps({"isAuthenticated": authenticated, "userInfo": {"email": "marked@example.com"}})
    path.write_text(f"#!{sys.executable} -SE\nimport os\nassert 'CURSOR_API_KEY' not in os.environ\nprint({answer!r})\n")
    path.chmod(0o755)
    return {"CURSOR_AGENT_BIN": str(path), "CURSOR_API_KEY": "marked"}


@pytest.mark.parametrize(("authenticated", "status"), [(True, "OK"), (False, "WARN")])
def test_cursor_is_asked_once_with_a_word_about_the_wait(
    subject, said: list[str], tmp_path: Path, authenticated: bool, status: str
) -> None:
    looked_at = subject(environ=agent(tmp_path, authenticated))
    listing, _ = generated.check(looked_at)
    binary, login, key = subscriptions.check_cursor(looked_at)
    assert said == ["Asking cursor-agent whether it is logged in …"]
    assert listing.status == "WARN"
    assert (binary.status, login.status, key.status) == ("OK", status, "INFO")
    assert authenticated or login.remedy == "run `cursor-agent login`"
    assert "marked" not in repr((binary, login, key))


def test_without_cursor_it_is_said_how_to_get_it(subject) -> None:
    (none,) = subscriptions.check_cursor(subject())
    assert (none.status, "cursor.com" in (none.remedy or "")) == ("INFO", True)
    (wrong,) = subscriptions.check_cursor(subject(environ={"CURSOR_AGENT_BIN": "/no/such/agent"}))
    assert (wrong.status, "CURSOR_AGENT_BIN" in wrong.message) == ("WARN", True)
