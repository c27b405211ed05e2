"""How a stage runs: everything but what it does.

`from codex_shim.stages.kit import Stage, run` is all that a typed stage needs; the names are loaded when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exchange import Exchange
    from .process import run
    from .stage import Context, Stage

__all__ = ["Context", "Exchange", "Stage", "run"]

_HOMES = {"Exchange": "exchange", "run": "process", "Context": "stage", "Stage": "stage"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
