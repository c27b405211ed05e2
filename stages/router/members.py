"""Who may serve a slug, and who is asked first. Pure: the lot of a request and what was measured come in as arguments."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import msgspec

from .config import Config, Virtual


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a choice can depend on: `lot` is a text, the same for all requests of a session; `latency` are the seconds to the first
    byte by slug, of those that were asked lately."""

    lot: str = ""
    latency: Mapping[str, float] = {}


def leaves(config: Config, slug: str) -> list[str]:
    """The slugs of routes that a slug stands for, in the order of the file. A member that is no model (any more) is left out."""
    return _expanded(config, slug, None)


def has_choice(config: Config, slug: str) -> bool:
    """Whether more than one upstream may serve it, or the one may be waited for."""
    return slug in config.virtual or slug in config.fallbacks or config.wait_seconds > 0


def ranked(config: Config, slug: str, known: Known) -> list[str]:
    """All that may serve `slug`, each once: the one to be asked first stands first."""
    names = [slug, *config.fallbacks.get(slug, ())]
    return list(dict.fromkeys(leaf for name in names for leaf in _expanded(config, name, known)))


def _expanded(config: Config, slug: str, known: Known | None) -> list[str]:
    virtual = config.virtual.get(slug)
    if virtual is None:
        return [slug] if slug in config.routes else []
    members = virtual.members if known is None else _ordered(config, virtual, known)
    return list(dict.fromkeys(leaf for member in members for leaf in _expanded(config, member, known)))


def _ordered(config: Config, virtual: Virtual, known: Known) -> Sequence[str]:
    members = virtual.members
    match virtual.choose:
        case "weighted":
            return sorted(members, key=lambda member: _draw(known.lot, member, virtual.weights.get(member, 1.0)))
        case "cheapest":
            return sorted(members, key=lambda member: _cheapest(config, member))
        case "least-latency":
            return sorted(members, key=lambda member: _quickest(config, member, known.latency))
        case _:
            return members


def _draw(lot: str, member: str, weight: float) -> float:
    """Rendezvous hashing: the smallest wins, each as often as its weight says, and when one goes away only its own lots move."""
    number = int.from_bytes(hashlib.sha256(f"{lot}\n{member}".encode()).digest()[:8])
    return -math.log((number + 1) / (2**64 + 1)) / weight


def _cheapest(config: Config, member: str) -> float:
    """Who has no price comes last."""
    prices = [price for leaf in leaves(config, member) if (price := config.routes[leaf].price) is not None]
    return min(prices, default=math.inf)


def _quickest(config: Config, member: str, latency: Mapping[str, float]) -> float:
    """Who was not measured comes first, and so is measured."""
    return min((latency.get(leaf, 0.0) for leaf in leaves(config, member)), default=math.inf)
