"""The documented examples of custom stages, as tables of a pipeline.toml, and the program one of them needs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"

INGRESS = 'name = "ingress"\nuse = "ingress"'
POLICY = 'name = "policy"\nuse = "policy"'
ROUTER = 'name = "router"\nuse = "router"'

BRIEF = f'name = "brief"\nscript = {json.dumps(str(EXAMPLES / "brief.py"))}'
PSEUDONYM = (
    f'name = "pseudonym"\nscript = {json.dumps(str(EXAMPLES / "pseudonym.py"))}\nconfig = {{ names = {{ "Acme" = "Northwind" }} }}'
)
THRIFT = f'name = "thrift"\nuse = "team.thrift"\npath = {json.dumps(str(EXAMPLES))}\nconfig = {{ highest = "low" }}'
REDACT = f'name = "redact"\ncommand = ["node", {json.dumps(str(EXAMPLES / "redact.mjs"))}]'

ALL = {"brief": BRIEF, "pseudonym": PSEUDONYM, "thrift": THRIFT, "redact": REDACT}


def pipeline(*tables: str) -> str:
    """A pipeline.toml of these stages, in this order."""
    return "\n\n".join(f"[[stage]]\n{table}" for table in tables) + "\n"


def node_environment() -> dict[str, str]:
    """An environment in which `node` is found; skips the test where there is none, fails it in CI."""
    node = shutil.which("node")
    if node is None:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("node is missing; install it from https://nodejs.org or with `apt-get install nodejs`")
    return {"PATH": os.pathsep.join([str(Path(node).parent), os.defpath])}
