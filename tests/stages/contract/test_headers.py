"""Which headers cross a hop."""

from __future__ import annotations

from codex_shim.stages.contract.headers import bearer, forward_request, forward_response


def test_headers_of_one_connection_stay_behind() -> None:
    headers = [
        ("Connection", "keep-alive, X-Only-Here"),
        ("X-Only-Here", "1"),
        ("Transfer-Encoding", "chunked"),
        ("Host", "127.0.0.1:1"),
        ("Content-Length", "5"),
        ("Content-Encoding", "zstd"),
        ("Authorization", "Bearer local"),
        ("X-Codex-Shim-Token", "local"),
        ("ChatGPT-Account-Id", "account"),
        ("x-codex-turn-state", "abc"),
        ("session-id", "s"),
        ("X-Unknown", "kept"),
    ]
    assert forward_request(headers) == {"x-codex-turn-state": "abc", "session-id": "s", "x-unknown": "kept"}


def test_a_renamed_model_is_not_told_to_codex() -> None:
    headers = [
        ("OpenAI-Model", "other"),
        ("x-codex-primary-used-percent", "3"),
        ("Server", "x"),
        ("Content-Type", "text/event-stream"),
    ]
    assert forward_response(headers) == {"x-codex-primary-used-percent": "3", "content-type": "text/event-stream"}


def test_a_bearer_token_is_found_however_it_is_spelled() -> None:
    assert bearer({"authorization": "bearer  abc "}) == "abc"
    assert bearer({"authorization": "Basic abc"}) is None
    assert bearer({"authorization": "Bearer "}) is None
    assert bearer({}) is None
