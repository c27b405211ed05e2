"""The file of `codex-shim record`: a line that says what it is, then one exchange per line, as JSON. Pure.

Version 1. An exchange is a `Crossing`: the request's body is the text that was sent, the answer the text of its pieces, each with
the milliseconds since the request. Fields that are not known are passed over, so that later versions may add some.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import msgspec

from ..settings.problems import ConfigError, Problem
from .crossing import Crossing

VERSION = 1

_MAKER = "codex-shim"


class Header(msgspec.Struct, kw_only=True):
    """`made` is seconds since the epoch."""

    recording: str
    version: int
    made: float = 0.0
    hops: list[str] = []


class Recording(msgspec.Struct, kw_only=True):
    """`cut` tells that the last line was left out, because it is not whole: whoever wrote it was killed."""

    header: Header
    exchanges: list[Crossing]
    cut: bool = False

    def at(self, hop: str) -> list[Crossing]:
        return [each for each in self.exchanges if each.hop == hop]

    @property
    def hops(self) -> list[str]:
        """Those that something was recorded at, in the order of the chain as the header has it."""
        met = dict.fromkeys(each.hop for each in self.exchanges)
        return [*(hop for hop in self.header.hops if hop in met), *(hop for hop in met if hop not in self.header.hops)]


def first_line(hops: Sequence[str], made: float) -> bytes:
    return msgspec.json.encode(Header(recording=_MAKER, version=VERSION, made=round(made, 3), hops=list(hops))) + b"\n"


def line(crossing: Crossing) -> bytes:
    return msgspec.json.encode(crossing) + b"\n"


def read(lines: Iterable[bytes], path: str) -> Recording:
    """Raises `ConfigError` with every line that cannot be used."""
    found: list[Crossing] = []
    problems: list[Problem] = []
    cut = False
    numbered = enumerate(lines, 1)
    header = _header(next(numbered, (1, b""))[1], path)
    for number, text in numbered:
        if not text.strip():
            continue
        cut = not text.endswith(b"\n")
        try:
            found.append(msgspec.json.decode(text, type=Crossing))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if not cut:
                problems.append(Problem(path, number, 1, f"this is no exchange of a recording: {error}"))
            continue
        cut = False
    if problems:
        raise ConfigError(problems)
    return Recording(header=header, exchanges=found, cut=cut)


def _header(text: bytes, path: str) -> Header:
    try:
        fields = json.loads(text)
        header = msgspec.convert(fields, Header)
    except (ValueError, msgspec.ValidationError):
        header = None
    if header is None or header.recording != _MAKER:
        raise ConfigError([Problem(path, 1, 1, "this is no recording; `codex-shim record --out FILE` makes one")])
    if header.version > VERSION:
        sentence = f"this recording has version {header.version}, and {VERSION} is the newest known here; update codex-shim"
        raise ConfigError([Problem(path, 1, 1, sentence)])
    return header
