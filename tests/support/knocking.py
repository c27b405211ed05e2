"""Knocks at ports without a pause, to see whether a connection is ever refused."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable

from running_chain import RunningChain
from waiting import PATIENCE

_PAUSE = 0.005


class Knocking:
    """`with Knocking(addresses) as knocking: …`, then `knocking.refused` and `knocking.count`."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self.refused: list[str] = []
        self.count = 0
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._knock, args=(address,)) for address in addresses]

    def __enter__(self) -> Knocking:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _knock(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        while not self._ending.wait(_PAUSE):
            try:
                with socket.create_connection((host, int(port)), timeout=2 * PATIENCE):
                    self.count += 1
            except OSError as error:
                self.refused.append(f"{address}: {error}")


def addresses(chain: RunningChain) -> list[str]:
    """Those of the stages that run; a knock would wake a sleeping one."""
    return [stage["address"] for stage in chain.status()["stages"] if stage["pid"]]
