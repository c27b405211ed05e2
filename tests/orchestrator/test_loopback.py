"""What the running chain tells everybody, and what is no chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from codex_shim.orchestrator import loopback

HEALTH = {"ok": True, "models": 1, "chatgpt_passthrough": False, "cursor_passthrough": False}


@contextmanager
def answering(answers: dict[str, bytes]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answers.get(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(found or b"{}")

        def log_message(self, format: str, *arguments: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_a_chain_tells_its_health_and_its_slugs_whatever_proxy_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    models = {"object": "list", "data": [{"id": "kimi"}, {"id": "qwen"}], "models": []}
    with answering({"/health": json.dumps(HEALTH).encode(), "/v1/models": json.dumps(models).encode()}) as url:
        assert loopback.health(url) == HEALTH
        assert loopback.slugs(url) == ["kimi", "qwen"]


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"ok": true}', b"\xff", None])
def test_d62_whoever_else_answers_is_no_chain(answer: bytes | None) -> None:
    with answering({} if answer is None else {"/health": answer, "/v1/models": answer}) as url:
        assert loopback.health(url) is None
        assert loopback.slugs(url) is None


def test_nobody_is_no_chain_either() -> None:
    with answering({}) as url:
        pass
    assert loopback.health(url) is None
