"""A wire with an ear: passes bytes between a client and a chain as they come, and keeps what the client has sent.

with Wiretap(chain) as tap:                # tap.url ends in /v1, like the chain's
    ...
bodies = tap.bodies("/v1/responses")
"""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit

from running_chain import RunningChain

_PIECE = 65536


class Wiretap:
    """Each connection of a client has one to the chain. What was sent is whole once its answer has come."""

    def __init__(self, chain: RunningChain) -> None:
        address = urlsplit(chain.url)
        self._target = (address.hostname or "", address.port or 0)
        self._sent: list[bytearray] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._accept, name="wiretap", daemon=True)

    def __enter__(self) -> Wiretap:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._open):
            _hang_up(each)

    def bodies(self, path: str) -> list[bytes]:
        """The bodies of all POST requests for a path, in the order of their connections."""
        return [body for sent in self._sent for asked, body in _requests(bytes(sent)) if asked == path]

    def heads(self) -> list[str]:
        """Method, path and protocol of all requests, with the word `upgrade` behind one that asks for another protocol."""
        return [head for sent in self._sent for head in _heads(bytes(sent))]

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            chain = socket.create_connection(self._target)
            self._open += [client, chain]
            heard = bytearray()
            self._sent.append(heard)
            threading.Thread(target=_pass, args=(client, chain, heard), daemon=True).start()
            threading.Thread(target=_pass, args=(chain, client, bytearray()), daemon=True).start()


def _pass(source: socket.socket, target: socket.socket, heard: bytearray) -> None:
    with contextlib.suppress(OSError):  # one of the two has gone
        while piece := source.recv(_PIECE):
            heard += piece
            target.sendall(piece)
    _hang_up(target)


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is down already
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _heads(sent: bytes) -> list[str]:
    """A refused upgrade is the only request on its connection."""
    first, _, headers = sent.partition(b"\r\n\r\n")[0].decode("latin-1").partition("\r\n")
    if "\r\nupgrade:" in f"\r\n{headers.lower()}":
        return [f"{first} upgrade"]
    return [path for path, _ in _requests(sent)]


def _requests(sent: bytes) -> list[tuple[str, bytes]]:
    """Path and body of each request on one connection; Codex always says how long a body is."""
    found = []
    while sent:
        head, _, rest = sent.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        found.append((first.split(" ")[1], rest[:length]))
        sent = rest[length:]
    return found
