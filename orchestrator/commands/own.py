"""What commands say of the user's own Codex: whether it leads to the chain, and what it meets when the chain moves or stops."""

from __future__ import annotations

import os
from typing import Any

import typer

from ..settings.problems import ConfigError
from .common import state

_WAYS = {"provider": "by a provider of its own", "threads": "by its built-in provider, so that its threads stay listed"}


def own_codex() -> Any:
    from ..codex.own_codex import OwnCodex

    return OwnCodex(os.environ, state.home)


def facts(url: str) -> dict[str, Any]:
    """For programs. `url` is where the chain is, empty where none runs. `leads_here` is whether this home's chain is meant,
    `problem` why that cannot be told."""
    from ..codex.edit import EditError
    from ..codex.own_codex import sentence

    own = own_codex()
    told: dict[str, Any] = {"config": str(own.path), "leads_here": False, "enabled": False, "in_sync": False, "problem": None}
    try:
        found, enabled = own.look(url), own.is_enabled
    except (ConfigError, EditError, OSError) as error:
        return {**told, "problem": sentence(own.path, error)}
    if found is None:
        return {**told, "enabled": enabled, "elsewhere": False}
    return {
        **told,
        "leads_here": found.mine,
        "elsewhere": not found.mine,
        "enabled": enabled,
        "in_sync": found.mine and bool(url) and not found.wrong,
        "way": found.way,
        "login": found.login,
        "model": found.model,
        "wrong": found.wrong,
    }


def words(told: dict[str, Any], running: bool) -> str:
    """One sentence of `facts` for a person."""
    whose = f"Your Codex ({told['config']})"
    if told["problem"]:
        return f"Your Codex cannot be looked at: {told['problem']}"
    if not told["leads_here"]:
        remedy = "`codex-shim enable` leads it here"
        return f"{whose} {'leads to a chain of another home' if told['elsewhere'] else 'does not use codex-shim'}; {remedy}."
    if not running:
        return f"{whose} leads to this chain, and waits without a word: `codex-shim start`, or `codex-shim disable`."
    if not told["in_sync"]:
        return f"{whose} leads here, but is not in sync: {'; '.join(told['wrong'])}. `codex-shim enable` mends it."
    return f"{whose} leads here {how(told['way'], told['login'])}, with the model {told['model']}."


def how(way: str, login: bool) -> str:
    return _WAYS[way] + (", with its ChatGPT login" if login else "")


def say_left_behind() -> None:
    """For commands that stop the chain: Codex tries a refused connection again for ever, and says nothing."""
    told = facts("")
    if told["leads_here"]:
        remedy = "run `codex-shim disable`, or start it again"
        typer.echo(f"Your Codex ({told['config']}) still leads to it, and would wait without a word: {remedy}.", err=True)


def refresh(url: str) -> str | None:
    """Bring an enabled configuration up to date with the chain at `url`: what was done, in a sentence; None where nothing was."""
    from ..codex.edit import EditError
    from ..codex.own_codex import sentence

    own = own_codex()
    try:
        done = own.refresh(url)
    except (ConfigError, EditError, OSError) as error:
        return f"Your Codex could not be led to {url}: {sentence(own.path, error)}"
    if done is None or not done.changed:
        return None
    return f"Your Codex ({done.path}) was brought up to date: {url}, model {done.now.model}. Restart Desktop and open sessions."
