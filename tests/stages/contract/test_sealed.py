"""A sealed login is of use to the holder of the key alone, and not for long."""

from __future__ import annotations

import chatgpt_login
import pytest
from codex_shim.stages.contract import sealed
from codex_shim.stages.contract.login import from_token
from cryptography.fernet import Fernet

KEY = sealed.new_key()
LOGIN = from_token(chatgpt_login.login("account-7").access_token, "account-7")


def test_a_login_comes_out_as_it_went_in() -> None:
    text = sealed.seal(KEY, LOGIN)
    assert sealed.open_sealed(KEY, text) == LOGIN
    assert text.isascii()
    assert text.isprintable()
    assert chatgpt_login.MARK not in text


def test_no_two_seals_are_alike() -> None:
    assert sealed.seal(KEY, LOGIN) != sealed.seal(KEY, LOGIN)
    assert sealed.new_key() != sealed.new_key()


@pytest.mark.parametrize(
    "text",
    [
        sealed.seal(sealed.new_key(), LOGIN),
        sealed.seal(KEY, LOGIN)[:-8],
        Fernet(KEY).encrypt(b"not ours").decode(),
        Fernet(KEY).encrypt(b'["one"]').decode(),
        Fernet(KEY).encrypt_at_time(b'["token","account"]', 1_000).decode(),
        "",
        "ü",
        "Bearer token",
    ],
    ids=["another run's", "damaged", "not JSON", "another shape", "old", "empty", "no text of ours", "in clear"],
)
def test_a_wrong_old_or_foreign_seal_holds_nothing(text: str) -> None:
    assert sealed.open_sealed(KEY, text) is None


def test_without_a_key_nothing_opens() -> None:
    assert sealed.open_sealed("", sealed.seal(KEY, LOGIN)) is None
