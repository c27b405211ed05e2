"""Ingress as a server: whose request it is, what of that goes on, and what comes back beside a body that is written anew."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import chatgpt_login
import pytest
from chatgpt_login import MARK
from codex_shim.stages.contract import sealed
from codex_shim.stages.kit.client import HopClient
from raw_http import Plain
from raw_upstream import SSE, ingress, plain, upstream

LOCAL = "local-token"
KEY = sealed.new_key()
MADE = chatgpt_login.login("account-7")
BODY = {"model": "slug", "stream": True, "input": "hi"}
COMPLETED = b'data: {"type":"response.completed","sequence_number":0,"response":{"id":"resp_1"}}\n\n'
EMPTY_LIST = plain("200 OK", "application/json", b'{"object":"list","data":[],"models":[]}')
BROUGHT = {"x-codex-shim-token": LOCAL, "authorization": f"Bearer {MADE.access_token}", "chatgpt-account-id": "account-7"}


def ask(answer: bytes, headers: dict[str, str], *, method: str = "POST", path: str = "/responses") -> tuple[Plain, dict[str, str]]:
    """What the client got, and the headers that the next hop saw; none where nothing went on."""
    body = json.dumps(BODY).encode() if method == "POST" else None

    async def talk() -> tuple[Plain, dict[str, str]]:
        client = HopClient()
        try:
            async with upstream(answer) as raw, ingress(raw.url, token=LOCAL, seal_key=KEY) as url:
                got = await exchanged(client, method, url + path, {"content-type": "application/json", **headers}, body)
                return got, seen_headers(raw.requests[0]) if raw.requests else {}
        finally:
            await client.close()

    return asyncio.run(talk())


async def exchanged(client: HopClient, method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Plain:
    async with client.open(method, url, headers, body) as reply:
        return Plain(reply.status, {name.lower(): value for name, value in reply.headers.items()}, await reply.read())


def seen_headers(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@pytest.mark.parametrize(
    ("key", "path", "status"),
    [(LOCAL, "/responses", 200), (LOCAL, "/models", 200), ("wrong", "/responses", 401), ("", "/responses", 401)],
)
def test_the_token_may_be_a_part_of_the_address(key: str, path: str, status: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Codex's built-in provider sends no header of ours; what it sends as a bearer token is the user's own."""

    async def talk() -> tuple[Plain, list[bytes]]:
        client = HopClient()
        try:
            answer = EMPTY_LIST if path == "/models" else SSE + COMPLETED
            async with upstream(answer) as raw, ingress(raw.url, token=LOCAL, seal_key=KEY) as url:
                address = url.replace("/v1", f"/key/{key}/v1") + path
                brought = {**BROUGHT, "content-type": "application/json"}
                del brought["x-codex-shim-token"]
                body = None if path == "/models" else json.dumps(BODY).encode()
                return await exchanged(client, "GET" if path == "/models" else "POST", address, brought, body), raw.requests
        finally:
            await client.close()

    got, requests = asyncio.run(talk())
    assert got.status == status
    if status == 200:
        assert requests[0].startswith((b"POST /v1/responses ", b"GET /v1/models "))
        login = sealed.open_sealed(KEY, seen_headers(requests[0])["x-codex-shim-user"])
        assert login is not None
        assert login.account_id == "account-7"
    else:
        assert not requests
    captured = capfd.readouterr()
    assert '"event":"request"' in captured.err, "what follows is looked for where it would be"
    assert LOCAL not in captured.out + captured.err


@pytest.mark.parametrize("place", [f"/v1/key/{LOCAL}/responses", f"//key/{LOCAL}/v1/responses", f"/key/x/key/{LOCAL}/v1/responses"])
def test_a_token_in_a_wrong_place_of_the_address_is_repeated_nowhere(place: str, capfd: pytest.CaptureFixture[str]) -> None:
    async def talk() -> Plain:
        client = HopClient()
        try:
            async with ingress("http://127.0.0.1:1/v1", token=LOCAL) as url:
                return await exchanged(client, "POST", url.removesuffix("/v1") + place, BROUGHT, b"{}")
        finally:
            await client.close()

    got = asyncio.run(talk())
    assert (got.status, got.error["code"]) == (404, "not_found")
    assert "[REDACTED]" in got.error["message"]
    assert LOCAL not in got.body.decode() + capfd.readouterr().err


@pytest.mark.parametrize(("method", "path"), [("POST", "/responses"), ("POST", "/responses/compact"), ("GET", "/models")])
def test_a_login_that_a_request_brings_goes_on_sealed_and_in_no_other_form(
    method: str, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    got, seen = ask(SSE + COMPLETED if path == "/responses" else EMPTY_LIST, BROUGHT, method=method, path=path)
    assert got.status == 200
    login = sealed.open_sealed(KEY, seen.pop("x-codex-shim-user"))
    assert login is not None
    assert (login.access_token.reveal(), login.account_id) == (MADE.access_token, "account-7")
    assert not {"authorization", "chatgpt-account-id", "x-codex-shim-token"} & seen.keys()
    assert MARK not in str(seen)
    logged = capfd.readouterr().err
    assert '"event":"request"' in logged
    assert MARK not in logged
    assert LOCAL not in logged


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {LOCAL}"},
        {"authorization": f"Bearer {LOCAL}", "x-codex-shim-user": "theirs", "chatgpt-account-id": "account-7"},
        {"x-codex-shim-token": LOCAL, "X-Codex-Shim-User": "theirs"},
        {"x-codex-shim-token": LOCAL, "authorization": f"Bearer {LOCAL}", "chatgpt-account-id": "account-7"},
        {"x-codex-shim-token": LOCAL, "authorization": "Bearer sk-api-key"},
    ],
    ids=["the ordinary way", "a seal from outside", "nothing brought", "the local token twice", "an API key"],
)
def test_where_no_login_is_brought_none_goes_on(headers: dict[str, str]) -> None:
    got, seen = ask(SSE + COMPLETED, headers)
    assert got.status == 200
    assert not {"authorization", "chatgpt-account-id", "x-codex-shim-token", "x-codex-shim-user"} & seen.keys()


@pytest.mark.parametrize(
    "headers",
    [
        {**BROUGHT, "x-codex-shim-token": "guessed"},
        {"authorization": BROUGHT["authorization"]},
        {"authorization": f"Bearer {LOCAL}", "x-codex-shim-token": ""},
    ],
    ids=["a wrong token of ours", "only the user's own", "an empty one"],
)
def test_who_does_not_know_the_token_is_told_both_ways_to_send_it(headers: dict[str, str]) -> None:
    got, seen = ask(SSE + COMPLETED, headers)
    assert (got.status, got.error["code"], seen) == (401, "invalid_api_key", {})
    assert "`Authorization: Bearer …`" in got.error["message"]
    assert "`x-codex-shim-token: …`" in got.error["message"]
    assert MARK not in got.body.decode()


LIMITED = plain(
    "429 Too Many Requests",
    "application/json",
    json.dumps({"error": {"code": "usage_limit_reached", "message": "The weekly limit is used up."}}).encode(),
    "Retry-After: 3600",
    "x-codex-primary-used-percent: 100",
    "x-codex-turn-state: T",
    "x-models-etag: e1",
    "x-upstream-request-id: theirs",
    "openai-model: another",
)


def test_headers_of_an_error_reach_codex_beside_the_stream_it_is_rendered_into() -> None:
    """D55."""
    got, _ = ask(LIMITED, {"authorization": f"Bearer {LOCAL}", "originator": "codex_exec"})
    assert (got.status, got.headers["content-type"]) == (200, "text/event-stream")
    error = got.events[-1]["response"]["error"]
    assert error == {"code": "invalid_prompt", "message": "The weekly limit is used up."}
    kept = {"x-codex-primary-used-percent": "100", "x-codex-turn-state": "T", "x-models-etag": "e1"}
    assert kept.items() <= got.headers.items()
    assert got.headers["x-upstream-request-id"] == "theirs"
    assert "openai-model" not in got.headers


def test_other_clients_get_the_status_and_the_same_headers() -> None:
    got, _ = ask(LIMITED, {"authorization": f"Bearer {LOCAL}"})
    assert (got.status, got.headers["content-type"], got.headers["retry-after"]) == (429, "application/json", "3600")
    assert got.error["code"] == "usage_limit_reached"
    assert got.headers["x-codex-primary-used-percent"] == "100"


REFUSED = plain("401 Unauthorized", "application/json", b'{"error":{"code":"login_refused","message":"run `codex login`"}}')
WRONG_KEY = plain("401 Unauthorized", "application/json", b'{"error":{"code":"invalid_api_key","message":"wrong key"}}')


@pytest.mark.parametrize(
    ("answer", "headers", "status"),
    [
        (REFUSED, BROUGHT, 401),
        (REFUSED, {"authorization": f"Bearer {LOCAL}"}, 200),
        (WRONG_KEY, BROUGHT, 200),
    ],
    ids=["its own login", "the login of the file", "a key of ours"],
)
def test_codex_gets_a_plain_401_only_where_that_makes_it_refresh_its_login(
    answer: bytes, headers: dict[str, str], status: int
) -> None:
    got, _ = ask(answer, {**headers, "originator": "codex_exec"})
    assert got.status == status
    error = got.error if status == 401 else got.events[-1]["response"]["error"]
    assert error["code"] == ("login_refused" if status == 401 else "invalid_prompt")


def test_headers_of_a_stream_come_back_with_it() -> None:
    headed = SSE.replace(b"\r\n\r\n", b"\r\nx-codex-turn-state: T\r\nx-reasoning-included: true\r\nopenai-model: another\r\n\r\n")
    got, _ = ask(headed + COMPLETED, {"authorization": f"Bearer {LOCAL}", "originator": "codex_exec"})
    assert (got.headers["x-codex-turn-state"], got.headers["x-reasoning-included"]) == ("T", "true")
    assert got.headers["content-type"] == "text/event-stream"
    assert "openai-model" not in got.headers
    assert [event["type"] for event in got.events] == ["response.completed"]


def test_a_chain_without_a_key_for_seals_passes_no_login_on() -> None:
    async def talk() -> Any:
        client = HopClient()
        try:
            async with upstream(EMPTY_LIST) as raw, ingress(raw.url, token=LOCAL) as url:
                await exchanged(client, "GET", url + "/models", BROUGHT)
                return seen_headers(raw.requests[0])
        finally:
            await client.close()

    assert not {"x-codex-shim-user", "authorization", "chatgpt-account-id"} & asyncio.run(talk()).keys()
