"""Which models lose their key where a variable of this terminal is not there: after a reboot. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

ReadSlugs = Callable[[Mapping[str, str]], list[str]]


class _Asked(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.names: list[str] = []

    def __getitem__(self, name: str) -> str:
        if name not in self.names:
            self.names.append(name)
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def lacking(read: ReadSlugs, now: Mapping[str, str], later: Mapping[str, str]) -> dict[str, list[str]]:
    """By variable, the slugs that `read` finds with the environment of `now`, and would not find without that variable, which is
    not in `later`."""
    asked = _Asked(now)
    slugs = read(asked)
    lost = {}
    for name in asked.names:
        if now.get(name) and not later.get(name):
            left = read({each: value for each, value in now.items() if each != name})
            lost[name] = [slug for slug in slugs if slug not in left]
    return {name: found for name, found in lost.items() if found}
