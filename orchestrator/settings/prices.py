"""What models cost: the reader of prices.toml, ours and the user's, which is data only.

Rule of this file: the user's own is valid as a whole, or a `ConfigError` names every problem with its place.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
from codex_shim.stages.contract.price import Price

from . import toml_file
from .model_row import ModelRow
from .problems import ConfigError
from .source import read_text
from .strict import Reader

PACKAGED = Path(__file__).parent / "prices.toml"


class PriceTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[prices]]`. Both are patterns; of models, later ones win."""

    providers: list[str] = msgspec.field(default_factory=lambda: ["*"])
    models: dict[str, Price]


class PriceFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    looked_up: date | None = None
    prices: list[PriceTable] = []


def of_rows(rows: Sequence[ModelRow], own: Path) -> dict[str, Price]:
    """By slug, of those whose price is known: that of the row, else of the user's file `own`, else ours. Raises `ConfigError`."""
    tables = [*packaged(), *load(own)] if rows else []
    found = {row.slug: row.price or find(tables, row.owner, row.model) for row in rows}
    return {slug: price for slug, price in found.items() if price is not None}


def find(tables: Sequence[PriceTable], provider: str, model: str) -> Price | None:
    """`provider` is a name or a host, `model` the upstream's name of it. The last pattern that fits counts."""
    names = (model.lower(), model.lower().rpartition("/")[2])
    found = None
    for table in tables:
        if any(fnmatchcase(provider, pattern) for pattern in table.providers):
            for pattern, price in table.models.items():
                found = price if any(fnmatchcase(name, pattern.lower()) for name in names) else found
    return found


def packaged() -> list[PriceTable]:
    import tomllib

    return msgspec.convert(tomllib.loads(PACKAGED.read_text("utf-8")), PriceFile).prices


def load(path: Path) -> list[PriceTable]:
    """None of them where there is no such file. Raises `ConfigError`."""
    if not os.path.lexists(path):
        return []
    document, positions = toml_file.document(read_text(path), str(path))
    reader = Reader(str(path), positions)
    read = reader.decode(document, PriceFile, (), "prices.toml")
    if read is None:
        raise ConfigError(reader.problems)
    return read.prices
