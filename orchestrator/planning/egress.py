"""The workers behind the router, each with the one key it holds. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from codex_shim.stages.egress_cursor.config import Config as CursorConfig
from codex_shim.stages.egress_cursor.config import Options as CursorOptions
from codex_shim.stages.egress_http.config import Config as HttpConfig
from codex_shim.stages.egress_http.config import LoginFile, Model
from codex_shim.stages.egress_http.config import Options as HttpOptions

from .. import egress
from ..egress import DEMO, Worker
from ..spec import StageSpec
from ..subscriptions import CURSOR_MODELS, chatgpt_slugs
from .inputs import Address, Inputs
from .worker import worker_spec


def egress_specs(inputs: Inputs, workers: Sequence[Worker], addresses: Mapping[str, Address]) -> list[StageSpec]:
    specs = [
        worker_spec(inputs, worker.name, "egress_http", addresses, msgspec.json.encode(_http_config(inputs, worker)))
        for worker in workers
    ]
    return [*(specs or [_demo_spec(inputs, addresses)]), *_subscription_specs(inputs, addresses)]


def _demo_spec(inputs: Inputs, addresses: Mapping[str, Address]) -> StageSpec:
    options = egress.demo_options(inputs.pipeline.egress.get(DEMO))
    return worker_spec(inputs, DEMO, "egress_demo", addresses, msgspec.json.encode(options))


def _http_config(inputs: Inputs, worker: Worker) -> Any:
    options = inputs.pipeline.egress.get(worker.name)
    return egress.http_config(worker, options if isinstance(options, HttpOptions) else HttpOptions())


def _subscription_specs(inputs: Inputs, addresses: Mapping[str, Address]) -> list[StageSpec]:
    """They sleep until somebody asks for one of their models, so that who has no subscription has no process more. Only where a run
    of cursor-agent was cut off its worker starts with the chain: it clears what is left of it."""
    modules = {"chatgpt": ("egress_http", _chatgpt_config), "cursor": ("egress_cursor", _cursor_config)}
    cut_off = inputs.subscriptions.cursor is not None and inputs.subscriptions.cursor.cut_off
    found = []
    for name in inputs.subscriptions.names:
        module, config = modules[name]
        spec = worker_spec(inputs, name, module, addresses, msgspec.json.encode(config(inputs)))
        found.append(msgspec.structs.replace(spec, lazy=not (cut_off and name == "cursor")))
    return found


def _chatgpt_config(inputs: Inputs) -> HttpConfig:
    wanted = inputs.subscriptions.chatgpt
    assert wanted is not None
    options = inputs.pipeline.egress.get("chatgpt")
    tuned = options if isinstance(options, HttpOptions) else HttpOptions()
    return HttpConfig(
        **{name: getattr(tuned, name) for name in HttpOptions.__struct_fields__},
        base_url=wanted.base_url,
        dialect="responses",
        provider="openai",
        login=LoginFile(path=wanted.auth_file, seal_key=inputs.seal_key.reveal()),
        models={slug: Model(model=slug) for slug in chatgpt_slugs(inputs.offered)},
    )


def _cursor_config(inputs: Inputs) -> CursorConfig:
    wanted = inputs.subscriptions.cursor
    assert wanted is not None
    options = inputs.pipeline.egress.get("cursor")
    tuned = options if isinstance(options, CursorOptions) else CursorOptions()
    return CursorConfig(
        **{**msgspec.structs.asdict(tuned), "workspace": wanted.workspace},
        binary=wanted.binary,
        folder=wanted.folder,
        models={model.slug: model.cli_name for model in CURSOR_MODELS},
    )
