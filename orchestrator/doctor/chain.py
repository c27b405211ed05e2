"""Sections Chain and Port: whether it runs, whether each stage does, and whether Codex would reach it and nobody else."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from codex_shim.stages.contract.handshake import parse_listen

from .. import loopback
from ..running.status import SLEEPS, UP
from ..settings.pipeline import Pipeline
from ..system import port_owner
from .check import Check, Section, count
from .subject import Running, Subject

SECONDS = 1.0

_CHAIN = Section("Chain")
_PORT = Section("Port")
_RESTART = "`codex-shim restart`"
_RELOAD = "`codex-shim pipeline reload`"


def check(subject: Subject) -> list[Check]:
    running = subject.running
    if running is None:
        return [_CHAIN.warn(f"no chain is running for {subject.home.root}", "`codex-shim start`")]
    if not running.answered:
        return [_CHAIN.fail("the chain is running, but does not answer its commands", _RESTART)]
    return [
        judge_health(running, loopback.health(running.url)),
        *(judge_stage(stage) for stage in running.stages),
        *judge_age(running, newer(files_of(subject), running.since)),
        *judge_shape(running, subject.settings.pipeline),
    ]


# -- what the chain says ----------------------------------------------------------------------------------------------


def judge_health(running: Running, health: dict[str, Any] | None) -> Check:
    where = f"the chain runs at {running.url} (pid {running.pid})"
    if health is None:
        return _CHAIN.fail(f"{where}, but does not answer /health there", f"`codex-shim pipeline logs ingress`, then {_RESTART}")
    logins = [name.replace("_", " ") for name in ("chatgpt_passthrough", "cursor_passthrough") if health.get(name)]
    offers = f"it offers {count(health['models'], 'model')}" + "".join(f", {name}" for name in logins)
    return _CHAIN.ok(f"{where} and answers /health", [offers])


def judge_stage(stage: dict[str, Any]) -> Check:
    """A `StageStatus`. A state that is neither fine nor trouble (it is run by hand) is told."""
    name, state, last = stage["name"], stage["state"], stage["last_exit"]
    if state in UP:
        means = f": it {SLEEPS}" if state == "asleep" else ""
        return _CHAIN.ok(f"{name} is {state}{means}", [f"it has died before: {last}"] if last else [])
    if state == "failed":
        remedy = f"`codex-shim pipeline logs {name}` says why; then `codex-shim pipeline restart {name}`"
        return _CHAIN.fail(f"{name} has failed: {last or 'it never came up'}", remedy, stage.get("lines", []))
    if state == "hung":
        remedy = f"it is replaced if it goes on like that; `codex-shim pipeline logs {name}` shows what it does"
        return _CHAIN.fail(f"{name} hangs: it does not answer", remedy, stage.get("lines", []))
    if state in ("starting", "restarting", "waiting", "stopping"):
        after = f" after {last}" if last else ""
        return _CHAIN.warn(f"{name} is {state}{after}", f"wait a moment; else see `codex-shim pipeline logs {name}`")
    return _CHAIN.info(f"{name} is {state}")


# -- what the files say since -----------------------------------------------------------------------------------------


def files_of(subject: Subject) -> list[Path]:
    """The files that a start reads, whether they are there or not."""
    pipeline = subject.settings.pipeline
    own = [pipeline.path] if pipeline and pipeline.path else []
    return [subject.options.settings, *own, subject.home.providers]


def newer(paths: Iterable[Path], since: float) -> list[Path]:
    """Those that have been changed after that moment, in seconds since the epoch."""
    return [path for path in paths if os.path.lexists(path) and path.lstat().st_mtime > since]


def judge_age(running: Running, changed: list[Path]) -> list[Check]:
    if not changed:
        return []
    return [_CHAIN.warn(f"changed since the chain has read them: {', '.join(path.name for path in changed)}", _RELOAD)]


def judge_shape(running: Running, pipeline: Pipeline | None) -> list[Check]:
    """Whether the running stages are those of the file, which may be another one than the chain was started with."""
    described = [stage.name for stage in pipeline.stages] if pipeline else running.chain
    if described == running.chain:
        return []
    message = (
        f"the chain is {' → '.join(running.chain)}, but {pipeline.path if pipeline else 'the file'} says {' → '.join(described)}"
    )
    return [_CHAIN.warn(message, f"{_RELOAD}, or name the pipeline.toml that it was started with by `--pipeline`")]


# -- its port ---------------------------------------------------------------------------------------------------------


def check_port(subject: Subject) -> list[Check]:
    pipeline = subject.settings.pipeline
    listen = pipeline.settings.listen if pipeline else None
    if subject.running:
        return [judge_own_port(subject.running, listen)] if subject.running.answered else []
    if listen is None:
        return [_PORT.info("it is not known, because pipeline.toml cannot be used")]
    host, port = parse_listen(listen)
    if port == 0:
        return [_PORT.info("pipeline.toml asks for any free port")]
    if not is_taken(host, port):
        return [_PORT.ok(f"{listen} is free")]
    ours = loopback.health(f"http://{listen}") is not None
    return [judge_foreign(listen, port_owner(port), ours)]


def judge_own_port(running: Running, listen: str | None) -> Check:
    at = urlsplit(running.url).netloc
    if listen is None or at == listen or parse_listen(listen)[1] == 0:
        return _PORT.ok(f"{at} belongs to the chain")
    return _PORT.info(f"{at} belongs to the chain; pipeline.toml says {listen}, which counts from the next start without `--port`")


def judge_foreign(listen: str, owner: str | None, ours: bool) -> Check:
    """`owner` as `port_owner` tells it; `ours` says that it answers as a chain does."""
    kind = "a chain of another home" if ours else "another program"
    who = f"{kind}, {owner}" if owner else kind
    remedy = "stop it, or choose another port: `codex-shim start --port N`, or `listen` in pipeline.toml"
    return _PORT.fail(f"{listen}, where Codex would connect, is in use by {who}", remedy)


def is_taken(host: str, port: int) -> bool:
    """Whether somebody accepts connections there, or lets them wait."""
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except TimeoutError:
        return True
    except OSError:
        return False
    return True
