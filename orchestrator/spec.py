"""What the supervisor is told of one process. Data only: `plan` makes it, `supervisor` acts on it."""

from __future__ import annotations

from typing import Literal

import msgspec
from codex_shim.stages.contract.handshake import NEXT

Readiness = Literal["log", "health", "tcp"]


class StageSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One process of the chain, or an outside proxy that somebody else runs (`argv` empty).

    `kind` is what `argv` starts with: one of our modules, or any program. `config` is the JSON for the stage's 0600 file, shown in
    no representation; with `secret` it is taken away again as soon as the stage has read it. `inherits` tells whether the listening
    socket is ours and handed on, so that a new process can take over without a refused connection. A `lazy` one is started by its
    first connection, which waits for it at the socket. `content` stands for the files of the user's that it runs; the process is
    not told of it.
    """

    name: str
    kind: Literal["module", "command", "url"]
    host: str
    port: int
    argv: tuple[str, ...] = ()
    env: dict[str, str] = {}
    config: bytes | None = None
    secret: bool = False
    inherits: bool = True
    lazy: bool = False
    ready: Readiness = "log"
    drain_seconds: float = 30.0
    content: str = ""

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def sends_to(self, url: str) -> bool:
        """Whether the process knows the stage at `url` as one to send to: as its next hop, or in its configuration."""
        return self.env.get(NEXT) == url or f'"{url}"'.encode() in (self.config or b"")

    def __repr__(self) -> str:
        return f"StageSpec({self.name} {self.kind} {self.host}:{self.port})"


class ChainPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All processes: `chain` in the order a request meets them, `egress` behind the router, `side` what no request to a model
    meets, `probes` what stands between two of them to look at their hop. Start in reverse, stop in order."""

    chain: list[StageSpec]
    egress: list[StageSpec]
    side: list[StageSpec] = []
    probes: list[StageSpec] = []

    @property
    def start_order(self) -> list[StageSpec]:
        """Egress first, the door last."""
        return [*self.side, *self.egress, *self.probes, *reversed(self.chain)]

    def find(self, name: str) -> StageSpec | None:
        return next((spec for spec in (*self.chain, *self.egress, *self.side, *self.probes) if spec.name == name), None)
