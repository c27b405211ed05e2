"""From one plan of a running chain to the next: what comes, goes, or is replaced, and which stage needs a new address. Pure.

While a chain is rewired, a request may come through processes of the old plan and go on through those of the new one. It must meet
each stage that stands in both plans, and once. That holds as long as it changes over at a stage in front of which the same ones
stand in both. So a stage that changes its place gets a new address, and with it every stage that it passes; the old process keeps
the old address for as long as somebody sends there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

import msgspec
from codex_shim.stages.contract.handshake import NEXT, NEXT_NAME

from .spec import ChainPlan, StageSpec

Kind = Literal["added", "replaced", "renewed", "removed"]

# In the order in which a change of one is told.
MOVED = "its place in the chain"
ADDRESS = "its address"
PROGRAM = "its program"
CONTENT = "its files"
SETTINGS = "its configuration"
ENVIRONMENT = "its environment"
NEXT_HOP = "its next hop"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one stage. `replaced`: a new process on the same socket; `renewed`: one at a new address, and the old one
    goes when nobody sends there any more. `why` are words for what differs; one that is new has its neighbours in `after` and
    `before`."""

    name: str
    kind: Kind
    why: list[str] = []
    after: str | None = None
    before: str | None = None

    @property
    def words(self) -> str:
        match self.kind:
            case "added" if self.after and self.before:
                return f"{self.name}: new, between {self.after} and {self.before}"
            case "added":
                return f"{self.name}: new" + (f", behind {self.after}" if self.after else "")
            case "removed":
                return f"{self.name}: taken out"
            case "replaced":
                return f"{self.name}: {_and(self.why)} changed → replaced"
        return f"{self.name}: {_and(self.why)} changed → started anew"


class Rewiring(msgspec.Struct, frozen=True, kw_only=True):
    """The way from one plan to another. `orders` are the names of both chains, the old one first."""

    changes: list[Change] = []
    orders: tuple[list[str], list[str]] = ([], [])

    def of(self, *kinds: Kind) -> set[str]:
        return {change.name for change in self.changes if change.kind in kinds}

    @property
    def order(self) -> str:
        """The old chain and the new one, where their stages differ; else empty."""
        old, new = self.orders
        return "" if old == new else f"{' → '.join(old)}  ⇒  {' → '.join(new)}"


def compare(old: ChainPlan, new: ChainPlan) -> Rewiring:
    """What leads from one to the other, in the order a request meets the stages; what is taken out comes last."""
    moved = _displaced(_line(old), _line(new))
    found = [_change(old.find(spec.name), spec, new, spec.name in moved) for spec in _in_order(new)]
    gone = [Change(name=spec.name, kind="removed") for spec in _in_order(old) if new.find(spec.name) is None]
    return Rewiring(changes=[*(each for each in found if each), *gone], orders=(_names(old.chain), _names(new.chain)))


def unfit(old: ChainPlan, new: ChainPlan, hand_on: bool) -> dict[str, str]:
    """The stages that cannot stay at the address that `new` gives them, and why. `hand_on` tells whether a process of this system
    can be handed a socket."""
    moved = _displaced(_line(old), _line(new))
    leading = {spec.name for spec in new.probes} - set(_line(new))
    found = {}
    for spec in new.start_order:
        before = old.find(spec.name)
        if before is None or spec.kind == "url" or (before.host, before.port) != (spec.host, spec.port):
            continue
        if spec.name in moved:
            found[spec.name] = MOVED
        elif why := differences(before, spec):
            takes_over = before.inherits and spec.inherits and hand_on
            elsewhere = spec.name in leading and NEXT_HOP in why
            if elsewhere or not takes_over or not set(_serves(before)) <= set(_serves(spec)):
                found[spec.name] = why[0]
    return found


def differences(old: StageSpec, new: StageSpec) -> list[str]:
    """What the process would be told differently, in words. Whether it sleeps at first counts only when it first starts."""
    told = ((old.host, old.port), (new.host, new.port))
    unlike = {
        ADDRESS: told[0] != told[1],
        PROGRAM: (old.kind, _argv(old), old.ready) != (new.kind, _argv(new), new.ready),
        CONTENT: old.content != new.content,
        SETTINGS: old.config != new.config or old.drain_seconds != new.drain_seconds,
        ENVIRONMENT: _own(old.env) != _own(new.env),
        NEXT_HOP: old.env.get(NEXT) != new.env.get(NEXT) or old.env.get(NEXT_NAME) != new.env.get(NEXT_NAME),
    }
    return [words for words, differs in unlike.items() if differs]


def _change(old: StageSpec | None, new: StageSpec, plan: ChainPlan, moved: bool) -> Change | None:
    if old is None:
        after, before = _neighbours(new.name, plan)
        return Change(name=new.name, kind="added", after=after, before=before)
    why = ([MOVED] if moved else []) + differences(old, new)
    if not why:
        return None
    stays = (old.host, old.port, old.kind) == (new.host, new.port, new.kind) and new.kind != "url"
    if moved and len(why) > 1:
        why = [each for each in why if each not in (ADDRESS, NEXT_HOP)]
    return Change(name=new.name, kind="replaced" if stays else "renewed", why=why)


def _displaced(old: Sequence[str], new: Sequence[str]) -> set[str]:
    """Of the names in both, those in front of which not the same others stand."""
    common = set(old) & set(new)

    def ahead(names: Sequence[str], name: str) -> set[str]:
        return set(names[: names.index(name)]) & common

    return {name for name in common if ahead(old, name) != ahead(new, name)}


def _neighbours(name: str, plan: ChainPlan) -> tuple[str | None, str | None]:
    names = _names(plan.chain) if name in _names(plan.chain) else _line(plan)
    if name not in names:
        return (names[-1] if name in _names(plan.egress) else None), None
    place = names.index(name)
    return (names[place - 1] if place else None), (names[place + 1] if place + 1 < len(names) else None)


def _line(plan: ChainPlan) -> list[str]:
    """The chain with the probes that stand in it; those before a worker do not."""
    probes = {spec.env.get(NEXT): spec.name for spec in plan.probes}
    return [name for spec in plan.chain for name in (probes.get(spec.url), spec.name) if name]


def _in_order(plan: ChainPlan) -> list[StageSpec]:
    return [*plan.chain, *plan.probes, *plan.egress, *plan.side]


def _serves(spec: StageSpec) -> Collection[str]:
    """The models of an egress worker. One that no longer knows a model must not be asked for it by those who still route there."""
    config: Any = msgspec.json.decode(spec.config or b"null")
    models = config.get("models") if isinstance(config, dict) and spec.secret else None
    return models if isinstance(models, dict) else ()


def _argv(spec: StageSpec) -> list[str]:
    """Without what is filled in: addresses are told of under another name."""
    filled = ((spec.env.get(NEXT) or spec.url, "{next}"), (f"{spec.host}:{spec.port}", "{listen}"), (str(spec.port), "{port}"))
    words = list(spec.argv)
    for value, name in filled:
        words = [word.replace(value, name) for word in words]
    return words


def _own(env: dict[str, str]) -> dict[str, str]:
    """Without the handshake, of which the rest tells."""
    return {name: value for name, value in env.items() if not name.startswith("CODEX_SHIM_")}


def _names(specs: Sequence[StageSpec]) -> list[str]:
    return [spec.name for spec in specs]


def _and(words: Sequence[str]) -> str:
    return " and ".join(words)
