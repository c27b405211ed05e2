"""What the picker shows of each model. Pure.

    {"slug", "display_name", "provider", "active", "model", "context", "images", "efforts", "effort", "tools",
     "egress", "health": {"state", "usable", "reason"}}

`context` is in tokens, None where nobody knows; `efforts` are Codex's words, `effort` the one it begins with. `state` is that of
the worker, `reason` a sentence where the model cannot be asked now. The first four are the shape that programs know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..egress import DEMO, Worker
from ..logins.state import LoginState
from ..running.status import StageStatus
from ..settings.models import ModelRow
from ..subscriptions import Offered
from ..virtuals import VirtualModel

_PASSING = ("starting", "restarting", "waiting", "stopping", "leased")


class _Level(msgspec.Struct):
    effort: str


class Entry(msgspec.Struct):
    """As much of a catalog's entry as is shown."""

    slug: str
    display_name: str = ""
    context_window: int | None = None
    input_modalities: list[str] = []
    supported_reasoning_levels: list[_Level] = []
    default_reasoning_level: str | None = None
    shell_type: str | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change while the chain runs: who serves a slug, and by which name."""

    entry: Entry
    provider: str
    model: str
    egress: str
    subscription: str | None = None


def gather(
    rows: Sequence[ModelRow],
    workers: Sequence[Worker],
    offered: Sequence[Offered],
    own: Sequence[Any],
    more: bytes,
    virtual: Sequence[VirtualModel] = (),
    router: str = "router",
) -> dict[str, Facts]:
    """By slug. `own` are the catalog's entries of the rows, or the demo's, and those of the `virtual` slugs; `more` is the JSON of
    the subscriptions', `router` the name of the stage that chooses among members."""
    served = {row.slug: worker.name for worker in workers for row in worker.rows}
    known = {row.slug: row for row in rows}
    found: dict[str, Facts] = {}
    merged = {model.slug: ", ".join(model.members) for model in virtual}
    for entry in msgspec.convert(own, list[Entry]):
        if entry.slug in merged:
            found[entry.slug] = Facts(entry=entry, provider="virtual", model=merged[entry.slug], egress=router)
            continue
        row = known.get(entry.slug)
        provider, model = (row.provider, row.model) if row else ("codex-shim", DEMO)
        found[entry.slug] = Facts(entry=entry, provider=provider, model=model, egress=served.get(entry.slug, DEMO))
    theirs = {entry.slug: entry for entry in _entries(more)}
    for each in offered:
        if each.subscription is not None and not each.hidden and each.slug in theirs:
            name = each.subscription
            found[each.slug] = Facts(entry=theirs[each.slug], provider=name, model=each.target, egress=name, subscription=name)
    return found


def cards(
    slugs: Sequence[str],
    facts: Mapping[str, Facts],
    active: str | None,
    stages: Mapping[str, StageStatus],
    logins: Mapping[Any, LoginState],
) -> list[dict[str, Any]]:
    """One for each slug on offer, in their order. The active one is among them as long as anything is known of it."""
    shown = [*slugs, *([active] if active in facts and active not in slugs else [])]
    return [_card(facts[slug], slug == active, stages, logins) for slug in shown if slug in facts]


def _card(facts: Facts, active: bool, stages: Mapping[str, StageStatus], logins: Mapping[Any, LoginState]) -> dict[str, Any]:
    entry = facts.entry
    return {
        "slug": entry.slug,
        "display_name": entry.display_name or entry.slug,
        "provider": facts.provider,
        "active": active,
        "model": facts.model,
        "context": entry.context_window,
        "images": "image" in entry.input_modalities,
        "efforts": [level.effort for level in entry.supported_reasoning_levels],
        "effort": entry.default_reasoning_level,
        "tools": entry.shell_type not in (None, "disabled"),
        "egress": facts.egress,
        "health": _health(facts, stages.get(facts.egress), logins),
    }


def _health(facts: Facts, worker: StageStatus | None, logins: Mapping[Any, LoginState]) -> dict[str, Any]:
    login = logins.get(facts.subscription) if facts.subscription else None
    state = worker.state if worker else "stopped"
    reason = None
    if login is not None and not login.usable:
        reason = login.reason
    elif state in _PASSING:
        reason = f"its worker {facts.egress} is {state}; a request that comes now has to wait"
    elif state in ("failed", "stopped"):
        why = f" ({worker.last_exit})" if worker and worker.last_exit else ""
        reason = f"its worker {facts.egress} has {state}{why}; `codex-shim pipeline logs {facts.egress}` says why"
    return {"state": state, "usable": reason is None, "reason": reason}


def _entries(more: bytes) -> list[Entry]:
    """Some of them are Codex's own, from its user's file; one that is not as we know it is left out."""
    found = []
    for raw in msgspec.json.decode(more, type=dict[str, list[msgspec.Raw]])["models"]:
        try:
            found.append(msgspec.json.decode(raw, type=Entry))
        except msgspec.MsgspecError:
            continue
    return found
