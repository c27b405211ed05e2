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


# -- the paths of the desk --------------------------------------------------------------------------------------------

OURS = {"origin": "http://127.0.0.1:8765", "content-type": "application/json", guard.PAGE_TOKEN: "page"}


def desk_call(method: str, path: str, **headers: str) -> int:
    """The status of the refusal, 200 where the call may pass."""
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        guard.check_desk_call(method, path, given, "local", "page")
    except HopError as error:
        return error.failure.status
    return 200


@pytest.mark.parametrize("path", [guard.PAGE, "/picker/picker.js", "/api/models", "/api/chain"])
def test_who_looks_at_the_page_needs_no_token_but_no_other_site_may(path: str) -> None:
    assert desk_call("GET", path) == 200
    assert desk_call("GET", path, sec_fetch_site="same-origin", sec_fetch_mode="cors") == 200
    for site in ("cross-site", "same-site"):  # to a browser every port of this machine is the same site
        assert desk_call("GET", path, sec_fetch_site=site, sec_fetch_mode="no-cors") == 403
        opened = desk_call("GET", path, sec_fetch_site=site, sec_fetch_mode="navigate")
        assert opened == (200 if path == guard.PAGE else 403), "a link may lead to the page, and to nothing else"


def test_our_page_switches_by_its_origin_and_its_token() -> None:
    switch = "/api/switch"
    page = {"origin": "http://127.0.0.1:8765", "content_type": "application/json", "x_codex_shim_picker_token": "page"}
    assert desk_call("POST", switch, **page, sec_fetch_site="same-origin") == 200
    assert desk_call("POST", switch, **page, sec_fetch_site="cross-site") == 403
    assert desk_call("POST", switch, **page | {"x_codex_shim_picker_token": "of the last run"}) == 403
    assert desk_call("POST", switch, **page | {"x_codex_shim_picker_token": ""}) == 403
    assert desk_call("POST", switch, **page | {"content_type": "text/plain"}) == 415
    del page["origin"]
    assert desk_call("POST", switch, **page) == 401, "the page's token is for the page: a program has the local one"


def test_without_a_token_of_a_page_none_is_right() -> None:
    with pytest.raises(HopError, match="older than the chain"):
        guard.check_desk_call("POST", "/api/switch", {**OURS, guard.PAGE_TOKEN: ""}, "local", "")


def test_a_program_switches_and_counts_by_the_local_token() -> None:
    right, wrong = {"authorization": "Bearer local"}, {"authorization": "Bearer page"}
    assert desk_call("POST", "/api/switch", content_type="application/json", **right) == 200
    assert desk_call("POST", "/api/switch", content_type="application/json", **wrong) == 401
    assert desk_call("POST", "/api/switch", content_type="application/json") == 401
    assert desk_call("GET", guard.METRICS, **right) == 200
    assert desk_call("GET", guard.METRICS, **wrong) == 401
    assert desk_call("GET", guard.METRICS) == 401
