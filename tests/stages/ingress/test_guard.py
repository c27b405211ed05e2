"""Who may talk to ingress."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.ingress import guard


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "127.0.0.1", "LOCALHOST"])
def test_this_machine_may_be_called_by_its_names(host: str) -> None:
    guard.check_host({"host": host}, [])


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "192.168.0.2:8765", "localhost.evil"])
def test_another_name_is_refused(host: str) -> None:
    with pytest.raises(HopError) as refusal:
        guard.check_host({"host": host}, ["mine.local"])
    assert refusal.value.failure.status == 403


def test_a_name_can_be_allowed() -> None:
    guard.check_host({"host": "mine.local:8765"}, ["mine.local"])


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1:9999"])
def test_d70_a_page_of_another_origin_is_refused(origin: str) -> None:
    with pytest.raises(HopError, match="may not use this endpoint"):
        guard.check_origin({"host": "127.0.0.1:8765", "origin": origin}, [])


def test_no_origin_our_own_and_an_allowed_one_pass() -> None:
    guard.check_origin({"host": "127.0.0.1:8765"}, [])
    guard.check_origin({"host": "127.0.0.1:8765", "origin": "http://127.0.0.1:8765"}, [])
    guard.check_origin({"host": "127.0.0.1:8765", "origin": "https://mine.example"}, ["https://mine.example"])


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded", "text/plain; application/json"])
def test_d70_what_a_page_can_send_without_asking_is_refused(kind: str) -> None:
    with pytest.raises(HopError) as refusal:
        guard.check_json({"content-type": kind})
    assert refusal.value.failure.status == 415


def test_json_passes_with_a_charset() -> None:
    guard.check_json({"content-type": "Application/JSON; charset=utf-8"})


@pytest.mark.parametrize(
    ("header", "required", "refused"),
    [
        ("Bearer right", True, False),
        ("bearer right", True, False),
        ("Bearer wrong", True, True),
        ("Bearer wrong", False, True),
        ("Bearer ünïcode", True, True),
        (None, True, True),
        (None, False, False),
    ],
)
def test_the_token_counts(header: str | None, required: bool, refused: bool) -> None:
    headers = {"authorization": header} if header else {}
    if not refused:
        guard.check_token(headers, "right", required=required)
        return
    with pytest.raises(HopError, match="codex-shim generate") as refusal:
        guard.check_token(headers, "right", required=required)
    assert refusal.value.failure.status == 401


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"x-codex-shim-token": "right"}, False),
        ({"x-codex-shim-token": "right", "authorization": "Bearer the user's own"}, False),
        ({"x-codex-shim-token": "wrong", "authorization": "Bearer right"}, True),
        ({"x-codex-shim-token": "w\udcffrong"}, True),
    ],
)
def test_the_token_may_come_in_a_header_of_ours(headers: dict[str, str], refused: bool) -> None:
    if not refused:
        guard.check_token(headers, "right", required=True)
        return
    with pytest.raises(HopError, match="x-codex-shim-token") as refusal:
        guard.check_token(headers, "right", required=True)
    assert refusal.value.failure.status == 401


def test_an_account_without_readable_text_is_no_login() -> None:
    headers = {"x-codex-shim-token": "right", "authorization": "Bearer token", "chatgpt-account-id": "acc\udcff"}
    assert guard.users_login(headers, "right") is None
