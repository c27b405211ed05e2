"""The login that Codex keeps, read without trusting a byte of it."""

from __future__ import annotations

import json
from typing import Any

import chatgpt_login
import pytest
from codex_shim.stages.contract.login import LoginError, from_token, read_file
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_800_000_000.0


def auth_file(made: chatgpt_login.Login, **tokens: Any) -> bytes:
    named = {"access_token": made.access_token, "refresh_token": made.refresh_token, "account_id": made.account_id}
    return json.dumps({"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": {**named, **tokens}}).encode()


def test_the_file_of_codex_is_understood() -> None:
    made = chatgpt_login.login("account-7")
    login = read_file(auth_file(made))
    assert (login.access_token.reveal(), login.account_id) == (made.access_token, "account-7")
    assert login.expires_at == made.expires_at
    assert login.why_unusable(made.expires_at - 1) is None


def test_the_account_in_the_token_counts_where_none_stands_beside_it() -> None:
    made = chatgpt_login.login("account-7")
    assert read_file(auth_file(made, account_id=None)).account_id == "account-7"
    assert from_token(made.access_token, "account-8").account_id == "account-8"


def test_an_expired_token_says_since_when_and_what_to_do() -> None:
    """D55."""
    login = from_token(chatgpt_login.login(seconds=-60).access_token)
    assert login.expires_at is not None
    assert login.why_unusable(login.expires_at - 1) is None
    expired = from_token("e30.eyJleHAiOjF9.x")
    assert expired.why_unusable(NOW) == "the ChatGPT login has expired (1970-01-01 00:00 UTC); run `codex login`"


def test_a_token_of_another_kind_is_left_to_the_service() -> None:
    for token in ("opaque", "a.b.c", "e30.eyJleHAiOiJzb29uIn0.x", "e30.e30.x"):
        assert from_token(token).why_unusable(NOW) is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Codex's auth.json cannot be read; run `codex login`"),
        (b"\xff{", "Codex's auth.json cannot be read; run `codex login`"),
        (b'{"tokens": {"access_token": 5}}', "Codex's auth.json cannot be read; run `codex login`"),
        (b"[" * 100_000, "Codex's auth.json cannot be read; run `codex login`"),
        (b"{}", "Codex is not logged in with ChatGPT; run `codex login`"),
        (b'{"tokens": {"access_token": ""}}', "Codex is not logged in with ChatGPT; run `codex login`"),
        (b'{"OPENAI_API_KEY": "sk-x"}', "Codex is not logged in with ChatGPT, but with an API key; run `codex login`"),
        (b'{"tokens": {"access_token": " "}}', "Codex's auth.json holds something that is no token; run `codex login`"),
        (b'{"tokens": {"access_token": "a\\nb"}}', "Codex's auth.json holds something that is no token; run `codex login`"),
    ],
)
def test_what_is_no_login_is_told_in_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(LoginError) as error:
        read_file(content)
    assert str(error.value) == sentence


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_a_file_of_any_content_is_a_login_or_a_sentence(content: bytes) -> None:
    try:
        read_file(content)
    except LoginError as error:
        assert "`codex login`" in str(error)


@given(
    st.text(max_size=40)
    | st.builds(
        lambda value: chatgpt_login._jwt({"exp": value}), st.none() | st.integers() | st.floats(allow_nan=False) | st.text()
    )
)
def test_a_token_of_any_kind_can_be_looked_at(token: str) -> None:
    login = from_token(token)
    assert login.why_unusable(NOW) is None or "`codex login`" in (login.why_unusable(NOW) or "")


def test_a_login_does_not_show_itself() -> None:
    made = chatgpt_login.login()
    assert chatgpt_login.MARK not in repr(read_file(auth_file(made)))
