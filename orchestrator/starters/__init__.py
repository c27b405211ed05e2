"""Starting points for a stage of one's own: working programs that change nothing yet. `codex-shim stage new` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import msgspec

Kind = Literal["script", "typed", "node"]

PACKAGE = "my_stages"  # a module of one's own is written with its package, so typed stages live in one
_FILES: dict[Kind, str] = {"script": "script.py.txt", "typed": "typed.py.txt", "node": "node.mjs"}


# What a stage does as it was written, as the end of a sentence, and the tests of it.
_TESTS: dict[Kind, tuple[str, str]] = {
    "script": (
        "changes nothing yet",
        """request = { input = "hi" }
answer = "Hello"
expect = [{ path = "input", unchanged = true }, { of = "text", equals = "Hello" }]""",
    ),
    "typed": (
        "lets a conversation pass as it is",
        """request = { input = "hi" }
answer = "Hello"
expect = [{ path = "input", unchanged = true }, { of = "text", equals = "Hello" }]""",
    ),
    "node": (
        "masks what looks like a key",
        """request = { input = "my key is sk-0123456789abcdef" }
expect = [{ lacks = "sk-" }, { path = "input[0].content[0].text", equals = "my key is [redacted]" }]""",
    ),
}


class Starter(msgspec.Struct, frozen=True):
    """Files to write, the stage itself first, and the lines that put it, with a test, into a pipeline.toml."""

    files: dict[Path, str]
    table: str

    @property
    def path(self) -> Path:
        return next(iter(self.files))


def starter(kind: Kind, name: str, folder: Path) -> Starter:
    """Nothing is written here. `folder` is absolute; `name` is valid for a stage."""
    module = name.replace("-", "_")
    path = {"script": folder / f"{name}.py", "typed": folder / PACKAGE / f"{module}.py", "node": folder / f"{name}.mjs"}[kind]
    doors = {
        "script": f"script = {_quoted(path)}",
        "typed": f"use = {_quoted(f'{PACKAGE}.{module}')}\npath = {_quoted(folder)}",
        "node": f'command = ["node", {_quoted(path)}]',
    }
    files = {path: _filled(_FILES[kind], name, module)}
    if kind == "typed":
        files[path.with_name(f"test_{module}.py")] = _filled("test_typed.py.txt", name, module)
    does, test = _TESTS[kind]
    stage = f"[[stage]]\nname = {_quoted(name)}\n{doors[kind]}\n"
    return Starter(files, f"{stage}\n[[test]]\nname = {_quoted(f'{name} {does}')}\nthrough = [{_quoted(name)}]\n{test}\n")


def _filled(file: str, name: str, module: str) -> str:
    text = (Path(__file__).parent / file).read_text("utf-8")
    return text.replace("STAGE_NAME", name).replace("STAGE_MODULE", f"{PACKAGE}.{module}")


def _quoted(value: object) -> str:
    """A JSON string is a TOML basic string."""
    return json.dumps(str(value), ensure_ascii=False)
