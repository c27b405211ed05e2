"""Requests that ingress refuses, over real sockets: status and sentence for plain clients, and the stream Codex reads instead."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
import zstandard
from chat_answers import says
from raw_http import Plain, post, send
from responses_client import ask_all, default_model, text_of
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream
from waiting import PATIENCE

MIB = 1024 * 1024
CODEX = {"originator": "codex_cli_rs"}
BODY = json.dumps({"model": "scripted", "stream": True, "input": "hi"}).encode()
OPENED = b'{"model": "scripted", "input": "'

Headers = dict[str, str | None]

# A body, or what makes one that is too large to be made before it is used.
REFUSALS: dict[str, tuple[bytes | Callable[[], bytes], Headers, int, str]] = {
    "no JSON": (b"{nope", {}, 400, "the request body is not valid JSON"),
    "not UTF-8": (b'{"model": "\xff"}', {}, 400, "the request body"),
    "not UTF-8 deep inside": (b'{"model": "scripted", "input": [{"type": "x", "y": "\xff"}]}', {}, 400, "not UTF-8"),
    "a number that is none": (BODY.replace(b'"hi"', b'[{"type": "x", "y": 1e999}]'), {}, 400, "out of range"),
    "no object": (b"[1]", {}, 400, "the request body must be a JSON object"),
    "empty": (b"", {}, 400, "the request body is not valid JSON"),
    "no model": (b'{"input": "hi"}', {}, 400, "`model` is missing from the request body"),
    "a model that is no text": (b'{"model": 3, "input": "hi"}', {}, 400, "`model` in the request body is not usable"),
    "no input": (b'{"model": "scripted"}', {}, 400, "`input` is missing from the request body"),
    "an input that is no list": (b'{"model": "scripted", "input": 3}', {}, 400, "`input` must be a text or a list of items"),
    "nested without end": (b'{"model": "scripted", "input": ' + b"[" * 100_000, {}, 400, "the request body is not valid JSON"),
    "unknown slug": (BODY.replace(b"scripted", b"scriptde"), {}, 404, "did you mean `scripted`?"),
    "larger than 64 MiB": (lambda: large(), {}, 413, "larger than 64 MiB"),
    "a gzip bomb": (lambda: gzip.compress(large(), 1), {"content-encoding": "gzip"}, 413, "larger than 64 MiB"),
    "a zstd bomb": (lambda: zstandard.compress(large()), {"content-encoding": "zstd"}, 413, "larger than 64 MiB"),
    "gzip that is none": (BODY, {"content-encoding": "gzip"}, 400, "the gzip request body cannot be decompressed"),
    "zstd that is none": (BODY, {"content-encoding": "zstd"}, 400, "the zstd request body cannot be decompressed"),
    "brotli": (BODY, {"content-encoding": "br"}, 415, "send zstd, gzip or none"),
    "wrong token": (BODY, {"authorization": "Bearer wrong"}, 401, "the token is not this chain's"),
    "no token": (BODY, {"authorization": None}, 401, "this chain's token is missing"),
    "another scheme": (BODY, {"authorization": "Basic dTpw"}, 401, "this chain's token is missing"),
    # D70: what a web page may send without asking first.
    "foreign Host": (BODY, {"host": "evil.example"}, 403, "the Host `evil.example` is not this machine"),
    "foreign Origin": (BODY, {"origin": "https://evil.example"}, 403, "the web page `https://evil.example` may not use this"),
    "null Origin": (BODY, {"origin": "null"}, 403, "the web page `null` may not use this"),
    "text/plain": (BODY, {"content-type": "text/plain"}, 415, "must be application/json, not `text/plain`"),
    "a form": (BODY, {"content-type": "application/x-www-form-urlencoded"}, 415, "must be application/json"),
    "no content type": (BODY, {"content-type": None}, 415, "must be application/json, not `none`"),
}

PERMANENT = "invalid_prompt"


def large() -> bytes:
    return OPENED + b"x" * (65 * MIB) + b'"}'


@cache
def refused(case: str) -> tuple[bytes, Headers, int, str]:
    body, headers, status, sentence = REFUSALS[case]
    return (body if isinstance(body, bytes) else body()), headers, status, sentence


def error_of(answer: Plain) -> dict[str, Any]:
    """The error of a stream of three events, well formed and ended."""
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    events = [event for event in answer.events if event["type"] != "keepalive"]
    assert [event["type"] for event in events] == ["response.created", "response.in_progress", "response.failed"]
    assert [event["sequence_number"] for event in events] == [0, 1, 2]
    return events[-1]["response"]["error"]


@pytest.mark.parametrize("case", REFUSALS)
def test_a_bad_request_is_refused_with_a_sentence_and_codex_can_show_it(kept_chain: RunningChain, case: str) -> None:
    body, headers, status, sentence = refused(case)
    plain = post(kept_chain, body, headers)
    assert plain.status == status
    assert plain.headers["content-type"] == "application/json"
    assert plain.error["request_id"] == plain.headers["x-request-id"]
    assert sentence in plain.error["message"]
    assert "\n" not in plain.error["message"]
    shown = error_of(post(kept_chain, body, {**headers, **CODEX}))
    assert shown == {"code": "model_not_found" if status == 404 else PERMANENT, "message": plain.error["message"]}


def test_the_chain_is_unharmed_by_all_of_them(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    before = kept_chain.pids
    for case in REFUSALS:
        body, headers, _, _ = refused(case)
        post(kept_chain, body, headers)
    provider.script(says("fine"))
    assert text_of(ask_all(kept_chain)) == "fine"
    assert kept_chain.pids == before
    assert not [line for line in kept_chain.logs("ingress") if line["event"] == "bug"]


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/v1/responses", 405, "POST /v1/responses"),
        ("DELETE", "/v1/responses", 405, "POST"),
        ("POST", "/v1/models", 405, "GET"),
        ("GET", "/", 404, "there is no GET / here"),
        ("GET", "/v1/elsewhere", 404, "there is no GET /v1/elsewhere here"),
        ("GET", "/models", 404, "the base URL ends in /v1"),
        # D26: a second front that loses tool calls is worse than none
        ("POST", "/v1/chat/completions", 404, "there is no POST /v1/chat/completions here"),
        ("GET", "/%2e%2e/etc/passwd", 404, "there is no GET"),
        ("OPTIONS", "/v1/responses", 405, "POST"),
    ],
)
def test_what_is_not_served_is_said_in_json(kept_chain: RunningChain, method: str, path: str, status: int, sentence: str) -> None:
    answer = send(kept_chain, method, path, headers=CODEX)
    assert answer.status == status
    assert sentence in answer.error["message"]


def test_a_base_url_without_v1_is_told_to_codex_as_a_stream(kept_chain: RunningChain) -> None:
    assert "the base URL ends in /v1" in error_of(send(kept_chain, "POST", "/responses", BODY, CODEX))["message"]
    assert send(kept_chain, "POST", "/responses", BODY).status == 404


def test_head_has_no_body(kept_chain: RunningChain) -> None:
    for path in ("/health", "/v1/models", "/v1/responses", "/"):
        answer = send(kept_chain, "HEAD", path)
        assert answer.body == b""
        assert answer.status < 500


# D32
def test_a_websocket_upgrade_is_426_so_that_codex_falls_back_in_silence(kept_chain: RunningChain) -> None:
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-key": "x" * 22 + "==", "sec-websocket-version": "13"}
    for headers in (upgrade, {**upgrade, **CODEX}):
        answer = send(kept_chain, "GET", "/v1/responses", headers=headers)
        assert (answer.status, answer.error["code"]) == (426, "websocket_unsupported")


def test_the_token_is_not_asked_for_where_nothing_is_spent_but_a_wrong_one_is_told(kept_chain: RunningChain) -> None:
    assert send(kept_chain, "GET", "/v1/models", headers={"authorization": None}).status == 200
    assert send(kept_chain, "GET", "/health", headers={"authorization": None}).status == 200
    assert send(kept_chain, "GET", "/v1/models", headers={"authorization": "Bearer wrong"}).status == 401
    assert send(kept_chain, "GET", "/v1/models", headers={"host": "evil.example"}).status == 403
    assert send(kept_chain, "GET", "/health", headers={"host": "evil.example"}).status == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "[::1]:8765", "127.9.9.9"])
def test_every_name_of_this_machine_is_a_good_host(kept_chain: RunningChain, host: str) -> None:
    assert send(kept_chain, "GET", "/v1/models", headers={"host": host}).status == 200


def test_the_inner_hops_let_nobody_in_who_does_not_know_the_runs_token(kept_chain: RunningChain) -> None:
    for stage in kept_chain.status()["stages"][1:]:
        with socket.create_connection(("127.0.0.1", int(stage["address"].rpartition(":")[2]))) as client:
            head = f"POST /v1/responses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {kept_chain.token}\r\n"
            client.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY)
            assert client.recv(65536).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # somebody speaks TLS
        b"GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_what_is_not_http_gets_a_plain_400_and_no_page(kept_chain: RunningChain, garbage: bytes) -> None:
    address = urlsplit(kept_chain.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE) as client:
        client.sendall(garbage)
        answer = client.makefile("rb").read()
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"<html" not in answer
    assert b"Traceback" not in answer


def test_a_body_that_never_comes_whole_is_dropped_with_its_client(kept_chain: RunningChain) -> None:
    address = urlsplit(kept_chain.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE) as client:
        head = f"POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {kept_chain.token}\r\n"
        client.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{".encode())
    assert default_model(kept_chain) == "scripted"
    assert send(kept_chain, "GET", "/health").status == 200
