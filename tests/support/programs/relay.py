"""A program as a stage: relays to the next hop with nothing but the standard library, and finishes what streams when it is stopped.

relay.py PORT NEXT [stubborn]     stubborn: ignores SIGTERM and a closed standard input, and has a child that does so too
"""

from __future__ import annotations

import http.client
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PORT, NEXT, *MANNERS = sys.argv[1:]


class Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(200, {"content-length": "2"})
            self.wfile.write(b"{}")
        else:
            self.relay(None)

    def do_POST(self) -> None:
        self.relay(self.rfile.read(int(self.headers["content-length"])))

    def relay(self, body: bytes | None) -> None:
        upstream = http.client.HTTPConnection(urlsplit(NEXT).netloc)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection", "content-length")}
        upstream.request(self.command, self.path, body, kept)
        reply = upstream.getresponse()
        self.answer(reply.status, {"content-type": reply.headers["content-type"], "transfer-encoding": "chunked"})
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


class Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128


def main() -> None:
    if MANNERS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            while True:
                signal.pause()
    server = Server(("127.0.0.1", int(PORT)), Relay)
    if not MANNERS:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.02)
    server.server_close()


main()
