"""A program as the last stage: answers every stream request with the bytes of a file, other requests with the headers it was sent.

canned.py PORT FILE
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT, FILE = sys.argv[1:]


class Canned(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer("application/json", b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if json.loads(body).get("stream"):
            self.answer("text/event-stream; charset=utf-8", Path(FILE).read_bytes())
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.answer("application/json", json.dumps(headers).encode())

    def answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        headers = {"content-type": kind, "content-length": str(len(body)), "openai-model": "another", "x-codex-turn-state": "kept"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


ThreadingHTTPServer(("127.0.0.1", int(PORT)), Canned).serve_forever()
