"""What is to be played, and what was seen of it. Data only."""

from __future__ import annotations

import msgspec

from ..conformance.subject import Subject
from .answers import Call


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the next hop says: `body` as it is, where there is one, else a response of these `parts`."""

    status: int = 200
    headers: dict[str, str] = {}
    body: str | None = None
    parts: list[str | Call] = []


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request, with the number by which its outcome is known. `lines` asks for what the stages have logged of it: then it is
    the only one of its scene."""

    number: int
    body: str
    headers: dict[str, str] = {}
    answer: Answer = Answer()
    lines: bool = False


class Hop(msgspec.Struct, frozen=True):
    """A next hop of ours. A router has one for each of its egress workers."""

    name: str
    port: int


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """`stages` in the order a request meets them; the first is asked, with `token`."""

    stages: list[Subject]
    hops: list[Hop]
    token: str
    asks: list[Ask]


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """`patience` is how many seconds an answer may take."""

    scenes: list[Scene]
    patience: float = 20.0


class Seen(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Of one exchange: the answer that came back, and the request as it reached the next hop `hop`; None where it reached none.

    Header names are in lower case. `lines` are by stage, of those that log as ours do. `broken` says how the answer broke off,
    `fault` why there was no exchange at all.
    """

    number: int
    fault: str | None = None
    status: int = 0
    headers: dict[str, str] = {}
    body: str = ""
    broken: str | None = None
    hop: str | None = None
    request: str | None = None
    request_headers: dict[str, str] = {}
    lines: dict[str, str] = {}
