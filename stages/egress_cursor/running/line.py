"""Who gets a slot, and who waits: first come, first served. Pure: tokens and slots may be anything."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

S = TypeVar("S")
T = TypeVar("T")


class FullError(Exception):
    """Every slot is taken and the line is as long as it may be."""


class Line(Generic[S, T]):
    """Slots and those who wait for one."""

    def __init__(self, slots: Iterable[S], most: int) -> None:
        self.free: deque[S] = deque(slots)
        self.waiting: deque[T] = deque()
        self.taken = 0
        self._most = most

    @property
    def slots(self) -> int:
        """Those in use included; those that were retired not."""
        return len(self.free) + self.taken

    def enter(self, token: T) -> S | None:
        """A slot, or None for whoever waits from now on. Raises `FullError`."""
        if self.free:
            self.taken += 1
            return self.free.popleft()
        if len(self.waiting) >= self._most:
            raise FullError
        self.waiting.append(token)
        return None

    def leave(self, token: T) -> None:
        """Whoever waited does not wait any longer. Nothing happens where it does not."""
        if token in self.waiting:
            self.waiting.remove(token)

    def give_back(self, slot: S) -> T | None:
        """A slot is free again. Whoever waited longest has it from now on."""
        if self.waiting:
            return self.waiting.popleft()
        self.taken -= 1
        self.free.append(slot)
        return None

    def retire(self) -> None:
        """A slot that was in use will not be used again."""
        self.taken -= 1
