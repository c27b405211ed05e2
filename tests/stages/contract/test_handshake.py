"""The handshake: what a stage is told, and a sentence where that is not enough."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.handshake import Handshake, HandshakeError, is_loopback, parse_listen, read
from codex_shim.stages.contract.secret import Secret


def test_what_is_written_is_read() -> None:
    shake = Handshake(
        stage="redact",
        host="127.0.0.1",
        port=4000,
        listen_fd=3,
        next="http://127.0.0.1:4001",
        next_name="the stage router",
        config="/c.json",
        hop_token=Secret("t"),
        drain_seconds=2.5,
    )
    assert read(shake.environ()) == shake
    assert "Secret" not in repr(shake)
    assert "'t'" not in repr(shake)


def test_little_is_enough() -> None:
    shake = read({"CODEX_SHIM_STAGE": "x", "CODEX_SHIM_LISTEN": "127.0.0.1:0", "CODEX_SHIM_NEXT": "http://127.0.0.1:1/"})
    assert (shake.next, shake.hop_token, shake.listen_fd) == ("http://127.0.0.1:1", None, None)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "CODEX_SHIM_LISTEN is not set"),
        ({"CODEX_SHIM_LISTEN": "127.0.0.1:1"}, "CODEX_SHIM_STAGE is not set"),
        ({"CODEX_SHIM_LISTEN": "8765"}, "`8765` is not an address"),
        ({"CODEX_SHIM_LISTEN": "0.0.0.0:8765"}, "`0.0.0.0` is not a loopback address"),
        ({"CODEX_SHIM_LISTEN": "127.0.0.1:99999"}, "is not an address"),
        ({"CODEX_SHIM_LISTEN": "127.0.0.1:1", "CODEX_SHIM_STAGE": "x", "CODEX_SHIM_LISTEN_FD": "three"}, "must be a number"),
    ],
)
def test_what_is_missing_is_named(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(HandshakeError, match=sentence):
        read(environ)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "example.com", "127.evil.com", "::", "192.168.0.1", ""])
def test_nothing_else_is(host: str) -> None:
    assert not is_loopback(host)


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert parse_listen("[::1]:80") == ("::1", 80)


def test_only_our_own_placeholders_of_a_command_are_filled_in() -> None:
    shake = Handshake(stage="redact", host="127.0.0.1", port=4100, next="http://127.0.0.1:4200")
    assert [shake.fill(word) for word in ("--port={port}", "{listen}", "{next}/v1", "{other} {}")] == [
        "--port=4100",
        "127.0.0.1:4100",
        "http://127.0.0.1:4200/v1",
        "{other} {}",
    ]
