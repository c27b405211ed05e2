"""Starting points for a stage of one's own: working programs that change nothing yet. `codex-shim stage new` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import msgspec

Kind = Literal["script", "typed", "node"]

PACKAGE = "my_stages"  # a module of one's own is written with its package, so typed stages live in one
_FILES: dict[Kind, str] = {"script": "script.py.txt", "typed": "typed.py.txt", "node": "node.mjs"}


class Starter(msgspec.Struct, frozen=True):
    """A file to write, and the lines that put the stage into a pipeline.toml."""

    path: Path
    content: str
    table: str


def starter(kind: Kind, name: str, folder: Path) -> Starter:
    """Nothing is written here. `folder` is absolute; `name` is valid for a stage."""
    module = name.replace("-", "_")
    path = {"script": folder / f"{name}.py", "typed": folder / PACKAGE / f"{module}.py", "node": folder / f"{name}.mjs"}[kind]
    content = (Path(__file__).parent / _FILES[kind]).read_text("utf-8")
    doors = {
        "script": f"script = {_quoted(path)}",
        "typed": f"use = {_quoted(f'{PACKAGE}.{module}')}\npath = {_quoted(folder)}",
        "node": f'command = ["node", {_quoted(path)}]',
    }
    return Starter(path, content.replace("STAGE_NAME", name), f"[[stage]]\nname = {_quoted(name)}\n{doors[kind]}\n")


def _quoted(value: object) -> str:
    """A JSON string is a TOML basic string."""
    return json.dumps(str(value), ensure_ascii=False)
