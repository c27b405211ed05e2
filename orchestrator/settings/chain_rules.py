"""What the `[[stage]]` tables must keep together: one ingress and first, one router and last, no name or address twice.

Rule of this file: it judges the tables as written, also those with problems of their own, so that all problems come out at once.
"""

from __future__ import annotations

import itertools
from typing import Any

from .addresses import comparable
from .problems import nearest
from .stage_table import BUILTIN_STAGES, DOORS
from .strict import Reader

OTHER_DOORS = {*DOORS} - {"url"}
Tables = list[dict[str, Any]]


def check(tables: Tables, listen: str, reader: Reader) -> None:
    """`listen` is the address of the first stage, from [pipeline]."""
    if not tables:
        reader.at_key((), "there is no [[stage]], so there is nothing to start")
        return
    _names(tables, reader)
    _ingress(tables, reader)
    _router(tables, reader)
    _end(tables, reader)
    _addresses(tables, listen, reader)
    _outside_proxies(tables, reader)


def _names(tables: Tables, reader: Reader) -> None:
    seen: set[str] = set()
    for index, table in enumerate(tables):
        name = table.get("name")
        if not isinstance(name, str):
            continue
        if name in seen:
            reader.at_value(("stage", index, "name"), f"there are two stages called `{name}`")
        seen.add(name)


def _using(tables: Tables, use: str) -> list[int]:
    return [index for index, table in enumerate(tables) if _meant(table.get("use")) == use]


def _meant(use: Any) -> Any:
    """A mistyped `ingres` is reported as such; that the chain has no ingress would be one sentence too many."""
    return nearest(use, BUILTIN_STAGES) or use if isinstance(use, str) and "." not in use else use


def _ingress(tables: Tables, reader: Reader) -> None:
    found = _using(tables, "ingress")
    if not found:
        reader.at_key(("stage", 0), 'the chain has no ingress; its first stage must have `use = "ingress"`')
        return
    for index in found[1:]:
        reader.at_key(("stage", index), "there are two ingress stages; a chain has one")
    if found[0] != 0:
        reader.at_key(("stage", found[0]), "ingress must be the first stage: it is what Codex connects to, and it checks who calls")
    if "listen" in tables[found[0]]:
        reader.at_key(("stage", found[0], "listen"), "the ingress listens where [pipeline] says; set `listen` there")


def _router(tables: Tables, reader: Reader) -> None:
    found = _using(tables, "router")
    for index in [index for index in found if tables[index].get("use") == "router"][1:]:
        reader.at_key(("stage", index), "there are two routers; a chain has one")
    if len(found) == 1 and found[0] != len(tables) - 1:
        after = tables[found[0] + 1].get("name") or "the next one"
        reader.at_key(("stage", found[0]), f"the router must be the last stage: `{after}` behind it would never be asked")


def _end(tables: Tables, reader: Reader) -> None:
    """A stage that can only pass on must have someone to pass to."""
    last = tables[-1]
    if not _using(tables, "router") and (last.get("use") in ("ingress", "policy") or "script" in last):
        at = ("stage", len(tables) - 1)
        reader.at_key(at, 'the last stage only passes requests on, to nobody; end the chain with `use = "router"`')


def _addresses(tables: Tables, listen: str, reader: Reader) -> None:
    seen = {comparable(listen): "[pipeline]"}
    for index, table in enumerate(tables):
        for key in ("listen", "url"):
            value = table.get(key)
            address = comparable(value) if isinstance(value, str) else None
            if address is None or table.get("use") == "ingress":
                continue
            if address in seen:
                reader.at_value(("stage", index, key), f"{address[0]}:{address[1]} is taken: {seen[address]} has it too")
            seen[address] = f"stage `{table.get('name')}`"


def _outside_proxies(tables: Tables, reader: Reader) -> None:
    """Nobody can tell a program that someone else started where to send, so the stage behind it must stay in one place."""
    for index, (table, behind) in enumerate(itertools.pairwise(tables)):
        if "url" in table and not table.keys() & OTHER_DOORS and not behind.keys() & {"listen", "url"}:
            name = table.get("name")
            sentence = f"this stage needs a fixed `listen`, because the outside proxy `{name}` before it must know where to send"
            reader.at_key(("stage", index + 1), sentence)
