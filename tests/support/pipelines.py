"""pipeline.toml texts of the tests, put together from tables."""

from __future__ import annotations

import json
import sys
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"

INGRESS = '[[stage]]\nname = "ingress"\nuse = "ingress"\n'
POLICY = '[[stage]]\nname = "policy"\nuse = "policy"\n'
ROUTER = '[[stage]]\nname = "router"\nuse = "router"\n'


def pipeline(*tables: str, **settings: object) -> str:
    """`settings` are the keys of [pipeline]."""
    head = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    return "\n".join([f"[pipeline]\n{head}", *tables])


def program(name: str, file: str, *arguments: str, more: str = "") -> str:
    """A stage of tests/support/programs. `more` are further keys of its table."""
    command = [sys.executable, str(PROGRAMS / file), *arguments]
    return f"[[stage]]\nname = {json.dumps(name)}\ncommand = {json.dumps(command)}\n{more}"


def relay(name: str, *manners: str) -> str:
    return program(name, "relay.py", "{port}", "{next}", *manners)
