"""The tables of docs/dialects.md say what the data says. `CODEX_SHIM_REGENERATE=1` writes the table of providers anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
from codex_shim.orchestrator.settings.providers import Preset, packaged
from codex_shim.stages.egress_http.config import Quirks

PAGE = next(parent for parent in Path(__file__).parents if parent.name == "tests").parent / "docs" / "dialects.md"
TABLE = re.compile(r"(<!-- providers: [^\n]*-->\n).*?(<!-- end of providers -->)", re.DOTALL)
HEAD = "| provider | language | base URL | key | window | images | quirks |\n|---|---|---|---|---|---|---|\n"


def test_the_table_of_providers_is_the_data() -> None:
    page = PAGE.read_text()
    written = TABLE.sub(lambda match: f"{match[1]}\n{HEAD}{''.join(map(line, packaged(), packaged().values()))}\n{match[2]}", page)
    if os.environ.get("CODEX_SHIM_REGENERATE"):
        PAGE.write_text(written)
    assert PAGE.read_text() == written


def line(name: str, preset: Preset) -> str:
    quirks = ", ".join(f"`{each}`" for each in msgspec.to_builtins(msgspec.convert(preset.quirks, Quirks)))
    window = f"{preset.context:_}".replace("_", " ") if preset.context else ""
    cells = (
        f"`{name}`",
        preset.dialect,
        preset.base_url or "yours",
        f"`{preset.key_env}`" if preset.key_env else "",
        window,
        "yes" if preset.images else "no",
        quirks,
    )
    return f"| {' | '.join(cells)} |\n"


def test_every_quirk_is_explained() -> None:
    explained = set(
        re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in PAGE.read_text().splitlines() if row.startswith("| `")))
    )
    assert set(Quirks.__struct_fields__) <= explained
