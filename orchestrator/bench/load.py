"""The client, as a process of its own: `python -P -m codex_shim.orchestrator.bench.load`, jobs on standard input, outcomes out.

Plain sockets and a selector, and nothing of an answer is looked at while requests run but its first token and its end: what the
client costs is taken from the two cores of what is measured. Answers are checked afterwards, all of them.
"""

from __future__ import annotations

import selectors
import socket
import sys
from time import perf_counter

import msgspec

from .answer import CHUNKED_END, FIRST_TOKEN, Wire, WrongAnswerError, text_of
from .body import request_body
from .jobs import Job, Outcome, Target
from .script import digest, pieces

_READ = 1 << 18
_END_LENGTH = len(CHUNKED_END)


class Client:
    """One connection and the exchange that is on it."""

    def __init__(self, target: Target, request: bytes, seconds: float) -> None:
        self._marker = FIRST_TOKEN[target.wire]
        self._request = request
        self.socket = socket.create_connection((target.host, target.port), timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pieces: list[bytes] = []
        self.began = self.first = 0.0
        self._tail = b""
        self._missing: int | None = None  # bytes to come, where the answer says how many

    def send(self) -> None:
        self.pieces, self.first, self._tail, self._missing = [], 0.0, b"", None
        self.began = perf_counter()
        self.socket.sendall(self._request)

    def receive(self) -> bool:
        """Take what has come. Returns whether the answer is whole, or over."""
        data = self.socket.recv(_READ)
        self.pieces.append(data)
        if not self.first and self._marker in (data if len(self.pieces) == 1 else b"".join(self.pieces)):
            self.first = perf_counter()
        if len(self.pieces) == 1:
            self._missing = _declared(data)
        elif self._missing is not None:
            self._missing -= len(data)
        self._tail = (self._tail + data)[-_END_LENGTH:]
        return not data or self._tail == CHUNKED_END or (self._missing is not None and self._missing <= 0)


class Bout:
    """One job: warm up, wait for all, measure, check."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._give_up_at = perf_counter() + job.seconds
        self._selector = selectors.DefaultSelector()
        self._answers: list[tuple[list[bytes], float, float]] = []
        self._clients: list[Client] = []
        self._outcome = Outcome()

    def run(self) -> Outcome:
        try:
            self._connect()
            self._phase(self._job.warmup * len(self._clients))
            self._answers.clear()
            began = perf_counter()
            self._phase(self._job.requests)
            self._outcome.seconds = perf_counter() - began
        except OSError as error:
            self._outcome.wrong.append(f"the connection failed: {error}")
        finally:
            for client in self._clients:
                client.socket.close()
            self._selector.close()
        self._check()
        return self._outcome

    def _connect(self) -> None:
        request = _http_request(self._job)
        for _ in range(self._job.concurrency):
            self._clients.append(Client(self._job.target, request, self._job.seconds))

    def _phase(self, requests: int) -> None:
        """Keep every connection busy until so many requests have been sent and answered."""
        waiting = requests
        for client in self._clients[:requests]:
            self._selector.register(client.socket, selectors.EVENT_READ, client)
            client.send()
            waiting -= 1
        while self._selector.get_map():
            for key, _ in self._ready():
                client = key.data
                if not client.receive():
                    continue
                self._note(client)
                if waiting > 0 and client.pieces[-1]:
                    waiting -= 1
                    client.send()
                else:
                    self._selector.unregister(client.socket)

    def _ready(self) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._selector.select(max(0.0, self._give_up_at - perf_counter()))
        if not ready:
            raise TimeoutError(f"no whole answer within {self._job.seconds:.0f} seconds")
        return ready

    def _note(self, client: Client) -> None:
        now = perf_counter()
        self._answers.append((client.pieces, (client.first or now) - client.began, now - client.began))

    def _check(self) -> None:
        expected = digest("".join(pieces(self._job.script)))
        for received, first, total in self._answers:
            raw = b"".join(received)
            if fault := _fault(raw, self._job.target.wire, expected):
                self._outcome.wrong.append(fault)
                continue
            self._outcome.bytes += len(raw)
            self._outcome.first_ms.append(first * 1000)
            self._outcome.total_ms.append(total * 1000)


def _fault(raw: bytes, wire: Wire, expected: str) -> str | None:
    try:
        return None if digest(text_of(raw, wire)) == expected else "the text was not the one the upstream sent"
    except (WrongAnswerError, ValueError) as error:
        return str(error)


def _declared(data: bytes) -> int | None:
    """How much of an answer with a content length is still to come."""
    head, _, body = data.partition(b"\r\n\r\n")
    found = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    return int(found) - len(body) if found else None


def _http_request(job: Job) -> bytes:
    body = request_body(job.size, job.target.model)
    headers = {
        "host": f"{job.target.host}:{job.target.port}",
        "content-type": "application/json",
        "accept": "text/event-stream",
        "content-length": str(len(body)),
        **job.target.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {job.target.path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def main() -> None:
    decode = msgspec.json.Decoder(Job).decode
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(Bout(decode(line)).run()) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
