"""The hops of a chain: what they are called, which of them somebody means, and what is wished for them. Pure.

A hop is written `FRONT>BEHIND`, the stage that asks before the one that answers: `ingress>policy`, `router>kimi`. `*` stands for
any name, so `router>*` are all ways out, `*>policy` is the one way into policy, and `*` alone are all hops.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Literal

import msgspec
from codex_shim.stages.contract.secret import Secret

from ..settings.problems import did_you_mean

Check = Literal["off", "log", "enforce"]
EVERY = "*"


class HopError(ValueError):
    """No hop is meant by what was written; the message is for whoever wrote it."""


class Hop(msgspec.Struct, frozen=True):
    """`probe` is what a probe between the two is called. `fixed`: the stage in front is an outside proxy that somebody else has
    told where to send, so no probe can stand behind it."""

    front: str
    behind: str
    probe: str
    fixed: bool = False

    @property
    def name(self) -> str:
        return f"{self.front}>{self.behind}"


class ProbeWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe is for: to check, to be watched by who has the token, or both."""

    check: Check = "off"
    watch_token: Secret = Secret("")


def hops(chain: Sequence[tuple[str, bool]], workers: Iterable[str]) -> list[Hop]:
    """`chain` holds the stages in order, each with whether it is an outside proxy; the `workers` stand behind the last of them."""
    pairs = [(front, behind, fixed) for (front, fixed), (behind, _) in pairwise(chain)]
    pairs += [(chain[-1][0], worker, False) for worker in workers] if chain else []
    taken = {name for name, _ in chain}
    found = []
    for front, behind, fixed in pairs:
        probe = _free(f"probe-{front}-{behind}", taken)
        taken.add(probe)
        found.append(Hop(front, behind, probe, fixed))
    return found


def matching(pattern: str, known: Sequence[Hop]) -> list[Hop]:
    """The hops that are meant and can have a probe, in the order of the chain. Raises `HopError`."""
    wanted = pattern.replace(" ", "").replace("→", ">").replace("->", ">")
    meant = [hop for hop in known if fnmatch.fnmatchcase(hop.name, wanted)] if wanted == EVERY or ">" in wanted else []
    open_ones = [hop for hop in meant if not hop.fixed]
    if open_ones:
        return open_ones
    if meant:
        front = meant[0].front
        raise HopError(
            f"nothing can stand in the hop {meant[0].name}: the outside proxy `{front}` is told by its owner where to send"
        )
    raise HopError(f"there is no hop `{pattern}`{_hint(wanted, known)}")


def wishes(check: Check, watched: Mapping[str, ProbeWish], known: Sequence[Hop]) -> dict[str, ProbeWish]:
    """What the file and the command line want checked together with what is `watched` now, by the name of the hop."""
    found: dict[str, ProbeWish] = {}
    for hop in known:
        wish = watched.get(hop.name, ProbeWish())
        if hop.fixed or (check == "off" and hop.name not in watched):
            continue
        found[hop.name] = msgspec.structs.replace(wish, check=check) if wish.check == "off" else wish
    return found


def _hint(wanted: str, known: Sequence[Hop]) -> str:
    names = [hop.name for hop in known]
    if not names:
        return "; this chain has one stage and no hop"
    if ">" not in wanted:
        beside = next((hop.name for hop in known if wanted in (hop.behind, hop.front)), names[0])
        return f"; a hop is written with both its stages, like `{beside}`"
    return did_you_mean(wanted, names) or f"; there are {', '.join(names)}"


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(candidate for number in range(2, 1000) if (candidate := f"{name}-{number}") not in taken)
