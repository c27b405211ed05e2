"""One stage of pipeline.toml as a process. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from codex_shim.stages.contract.handshake import Handshake, parse_listen

from ..egress import DESK
from ..settings import values
from ..settings.stage_table import StageTable
from ..spec import StageSpec
from .inputs import STAGES, Address, Inputs
from .routes import routes
from .side import page_token

SCRIPT_HOST = f"{STAGES}.kit.script"


def stage_spec(
    inputs: Inputs,
    stage: StageTable,
    addresses: Mapping[str, Address],
    following: StageSpec | None,
    way: str | None,
    ways_out: Mapping[str, str],
) -> StageSpec:
    """`way` is the base URL that leads to the `following` stage, `ways_out` are those to the workers behind a router."""
    if stage.url is not None:
        host, port = parse_listen(stage.url.partition("//")[2])
        return StageSpec(name=stage.name, kind="url", host=host, port=port, inherits=False, ready=stage.ready)
    host, port = addresses[stage.name]
    shake = Handshake(
        stage=stage.name,
        host=host,
        port=port,
        next=way,
        next_name=f"the stage {following.name}" if following else "the next stage",
        config=inputs.surroundings.config_path(stage.name),
        hop_token=inputs.hop_token,
        drain_seconds=inputs.pipeline.settings.drain_seconds,
    )
    kind, argv = _program(stage, shake)
    return StageSpec(
        name=stage.name,
        kind=kind,
        host=host,
        port=port,
        argv=argv,
        env={**inputs.surroundings.base, **_python_path(stage), **_own_env(stage, inputs.surroundings.full), **shake.environ()},
        config=json.dumps(_stage_config(inputs, stage, addresses, ways_out), ensure_ascii=False).encode(),
        secret=stage.use == "ingress",  # the local token, and the key that opens sealed logins
        inherits=stage.command is None,
        ready="log" if stage.command is None else stage.ready,
        content=inputs.contents.get(stage.name, ""),
        drain_seconds=inputs.pipeline.settings.drain_seconds,
    )


def _program(stage: StageTable, shake: Handshake) -> tuple[Any, tuple[str, ...]]:
    if stage.script is not None:
        return "module", (SCRIPT_HOST, stage.script)
    if stage.command is not None:
        return "command", tuple(shake.fill(word) for word in stage.command)
    assert stage.use is not None
    return "module", (f"{STAGES}.{stage.use}" if stage.builtin else stage.use,)


def _own_env(stage: StageTable, environ: Mapping[str, str]) -> dict[str, str]:
    """The stage's own `env`; `check` has made sure that every `${NAME}` in it is set."""
    return {name: values.expand(value, environ) for name, value in stage.env.items()}


def _python_path(stage: StageTable) -> dict[str, str]:
    return {"PYTHONPATH": stage.path} if stage.path else {}


def _stage_config(
    inputs: Inputs, stage: StageTable, addresses: Mapping[str, Address], ways_out: Mapping[str, str]
) -> dict[str, Any]:
    if stage.options is None:
        return stage.config
    config: dict[str, Any] = msgspec.to_builtins(stage.options)
    if stage.use == "ingress":
        config |= {
            "token": inputs.local_token.reveal(),
            "advertised": inputs.advertised,
            "seal_key": inputs.seal_key.reveal() if inputs.subscriptions.chatgpt else "",
            "desk": "http://{}:{}".format(*addresses[DESK]),
            "page_token": page_token(inputs),
        }
    elif stage.use == "router":
        config |= {
            "routes": msgspec.to_builtins(routes(inputs, ways_out)),
            "catalog": inputs.catalog,
            "advertised": inputs.advertised,
            "subscription_catalog": inputs.subscription_catalog,
            "prices": msgspec.to_builtins(inputs.prices) if config["limits"] else {},
            "spent": inputs.spent,
        }
    return config
