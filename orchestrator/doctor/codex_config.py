"""Section Codex config: whether the user's own Codex asks the chain, and whether what it was told is still so.

A token is compared, never shown, and of foreign settings nothing is quoted but the names of providers and models.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from ..codex.connection import Chain, Connected, look
from ..codex.own_codex import OwnCodex
from ..settings.problems import ConfigError
from ..system import with_variable
from .check import Check, Section
from .subject import Subject

_CONFIG = Section("Codex config")
_SAID = {
    "provider": "{} uses the provider codex_shim",
    "threads": "{} leads Codex's own provider to this machine (openai_base_url)",
}


def check(subject: Subject) -> list[Check]:
    own = OwnCodex(subject.environ, subject.home)
    trial = (
        "`codex-shim enable` makes it do so, and "
        f"`{with_variable('CODEX_HOME', str(subject.home.codex_home), 'codex')}` uses codex-shim without touching it"
    )
    if not own.path.exists():
        return [_CONFIG.info(f"there is no {own.path}, so your own Codex does not use codex-shim", trial)]
    try:
        config = own.read()
    except ConfigError as error:
        return [_CONFIG.fail(f"Codex cannot start with its {own.path.name}", "mend this place", list(map(str, error.problems)))]
    found = judge(own.path, config, own.chain(subject.base_url or ""), subject.running is not None, trial)
    return [*found, *judge_readers(own.path, own.is_exposed)]


def judge(path: Path, config: Mapping[str, Any], chain: Chain, running: bool, trial: str) -> list[Check]:
    """`running` tells whether anybody listens at the chain's URL, `trial` how to use codex-shim without this file."""
    found = look(config, chain)
    if found is not None:
        return [_verdict(_SAID[found.way].format(path), found, running), *_judge_model(found.model, chain.slugs)]
    provider = config.get("model_provider")
    named = f"the provider `{provider}`" if isinstance(provider, str) else "Codex's own provider"
    return [_CONFIG.info(f"{path} uses {named}, not codex-shim", trial)]


def judge_readers(path: Path, readable: bool) -> list[Check]:
    """`readable` tells that others than its owner can read the file, and the local token stands in it."""
    if not readable:
        return []
    return [_CONFIG.warn(f"{path} holds the local token, and can be read by others", f"`chmod 600 {quote(str(path))}`")]


def _verdict(said: str, found: Connected, running: bool) -> Check:
    if found.wrong:
        remedy = "`codex-shim enable" + (" --keep-threads`" if found.way == "threads" else " --keep-login`" if found.login else "`")
        return _CONFIG.warn(f"{said}, but is not in sync with the chain", remedy, found.wrong)
    if not running:
        remedy = "`codex-shim start`, or `codex-shim disable`"
        return _CONFIG.warn(f"{said}, where nobody listens: Codex would wait without a word", remedy)
    return _CONFIG.ok(f"{said}, in sync with the running chain")


def _judge_model(model: str | None, slugs: list[str]) -> list[Check]:
    """`slugs` are those on offer, empty where they are not known."""
    if model is None or not slugs or model in slugs:
        return []
    return [_CONFIG.warn(f"its model `{model}` is not on offer", "`codex-shim list` shows which are, `model use` chooses one")]
