"""A program as a stage that writes down the headers of every request, one JSON object per line, and relays both ways.

noting.py PORT NEXT FILE
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

PORT, NEXT, FILE = sys.argv[1:]
OF_ONE_CONNECTION = ("host", "connection", "content-length", "transfer-encoding", "date", "server")


class Noting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path != "/health":
            self.relay(None)
            return
        self.answer(200, {"content-length": "2"})
        self.wfile.write(b"{}")

    def do_POST(self) -> None:
        with Path(FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps({name.lower(): value for name, value in self.headers.items()}) + "\n")
        self.relay(self.rfile.read(int(self.headers["content-length"])))

    def relay(self, body: bytes | None) -> None:
        upstream = http.client.HTTPConnection(urlsplit(NEXT).netloc)
        upstream.request(self.command, self.path, body, kept(dict(self.headers)))
        reply = upstream.getresponse()
        self.answer(reply.status, {**kept(dict(reply.headers)), "transfer-encoding": "chunked"})
        while piece := reply.read1(65536):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")
        upstream.close()

    def answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def kept(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in OF_ONE_CONNECTION}


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", int(PORT)), Noting)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.02)
    server.server_close()


main()
