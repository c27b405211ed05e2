"""The login of each request: the one it brought, else the one in the file as it is now. What cannot be used is never sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import chatgpt_login
import pytest
from chatgpt_login import MARK, write_api_key_auth, write_auth
from codex_shim.stages.contract import sealed
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.contract.login import from_token
from codex_shim.stages.egress_http.config import LoginFile
from codex_shim.stages.egress_http.credentials import ApiKey, Proof
from codex_shim.stages.egress_http.users_login import UsersLogin

KEY = sealed.new_key()


def prove(credential: UsersLogin, **request: str) -> Proof:
    return asyncio.run(credential.prove({name.replace("_", "-"): value for name, value in request.items()}))


def refused(credential: UsersLogin, **request: str) -> str:
    with pytest.raises(HopError) as refusal:
        prove(credential, **request)
    failure = refusal.value.failure
    assert (failure.status, failure.code) == (401, "login_refused")
    assert MARK not in failure.message
    return failure.message


@pytest.fixture
def credential(tmp_path: Path) -> UsersLogin:
    return UsersLogin(LoginFile(path=str(tmp_path / "auth.json"), seal_key=KEY))


def brought(made: chatgpt_login.Login) -> str:
    return sealed.seal(KEY, from_token(made.access_token, made.account_id))


def test_the_file_counts_as_it_is_when_a_request_is_sent(credential: UsersLogin, tmp_path: Path) -> None:
    """Logging in, out and in again needs no restart."""
    for account in ("account-1", "account-2"):
        made = chatgpt_login.login(account)
        write_auth(tmp_path, made)
        for _ in range(2):
            proof = prove(credential)
            assert proof.headers == {"authorization": f"Bearer {made.access_token}", "chatgpt-account-id": account}
            assert proof.secrets == [made.access_token]
            assert MARK not in repr(proof)
    (tmp_path / "auth.json").unlink()
    assert refused(credential) == "Codex is not logged in with ChatGPT; run `codex login`"


def test_each_login_that_cannot_be_used_says_why_and_what_to_do(credential: UsersLogin, tmp_path: Path) -> None:
    """D55: an expired token was sent and told as anything else."""
    assert refused(credential) == "Codex is not logged in with ChatGPT; run `codex login`"
    write_api_key_auth(tmp_path)
    assert refused(credential) == "Codex is not logged in with ChatGPT, but with an API key; run `codex login`"
    write_auth(tmp_path, chatgpt_login.login(seconds=-60))
    expired = refused(credential)
    assert expired.startswith("the ChatGPT login has expired (20")
    assert expired.endswith(" UTC); run `codex login`")
    (tmp_path / "auth.json").write_text('{"tokens": ')
    assert refused(credential) == "Codex's auth.json cannot be read; run `codex login`"


def test_a_file_that_cannot_be_opened_is_told_of(tmp_path: Path) -> None:
    folder = tmp_path / "auth.json"
    folder.mkdir()
    message = refused(UsersLogin(LoginFile(path=str(folder))))
    assert message.startswith("Codex's auth.json cannot be read (")
    assert message.endswith("run `codex login`")


def test_a_file_that_codex_is_writing_is_read_again(
    credential: UsersLogin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "auth.json").write_text('{"tokens": ')
    monkeypatch.setattr(
        "codex_shim.stages.egress_http.users_login.time.sleep",
        lambda seconds: write_auth(tmp_path, chatgpt_login.login("account-3")),
    )
    assert prove(credential).headers["chatgpt-account-id"] == "account-3"


def test_a_login_that_the_request_brought_wins_and_needs_no_file(credential: UsersLogin, tmp_path: Path) -> None:
    made = chatgpt_login.login("account-7")
    assert prove(credential, x_codex_shim_user=brought(made)).headers["chatgpt-account-id"] == "account-7"
    write_auth(tmp_path, chatgpt_login.login("account-1"))
    proof = prove(credential, x_codex_shim_user=brought(made))
    assert proof.headers["authorization"] == f"Bearer {made.access_token}"
    assert proof.secrets == [made.access_token]


def test_a_login_that_came_along_and_cannot_be_used_is_not_replaced_by_another(credential: UsersLogin, tmp_path: Path) -> None:
    """Whose plan pays is nothing to guess about."""
    write_auth(tmp_path, chatgpt_login.login())
    assert "has expired" in refused(credential, x_codex_shim_user=brought(chatgpt_login.login(seconds=-60)))
    assert "cannot be read any more" in refused(credential, x_codex_shim_user="of another run")


def test_a_key_is_the_same_for_every_request_also_where_it_brings_a_login() -> None:
    """D53: a row with a key of its own is paid with that key, whatever its slug is called."""
    for key, header, headers in (
        ("sk-1", "authorization", {"authorization": "Bearer sk-1"}),
        ("sk-1", "x-api-key", {"x-api-key": "sk-1"}),
        (None, "authorization", {}),
    ):
        proof = asyncio.run(ApiKey(key, header).prove({"x-codex-shim-user": "sealed"}))
        assert (proof.headers, proof.secrets) == (headers, [key] if key else [])
