"""From files to processes. Pure: everything that had to be asked of the system comes in as an argument.

`needs` says which addresses the plan wants; the caller binds them; `build` says what is started on each.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from codex_shim.stages.contract.handshake import Handshake, parse_listen
from codex_shim.stages.contract.price import Price
from codex_shim.stages.contract.secret import Secret
from codex_shim.stages.desk.config import Config as DeskConfig
from codex_shim.stages.egress_cursor.config import Config as CursorConfig
from codex_shim.stages.egress_cursor.config import Options as CursorOptions
from codex_shim.stages.egress_http.config import Config as HttpConfig
from codex_shim.stages.egress_http.config import LoginFile, Model
from codex_shim.stages.egress_http.config import Options as HttpOptions
from codex_shim.stages.otel.config import Config as OtelConfig
from codex_shim.stages.probe.config import Config as ProbeConfig
from codex_shim.stages.router.config import Options as RouterOptions
from codex_shim.stages.router.config import Route

from . import egress, otel, virtuals
from .codex.known_models import is_openai
from .egress import DEMO, DESK, OTEL, SUBSCRIPTIONS, Worker
from .environment import Surroundings
from .settings import values
from .settings.model_row import ModelRow
from .settings.pipeline import Pipeline
from .settings.problems import ConfigError, Problem, did_you_mean
from .settings.stage_table import StageTable
from .sight.hops import Hop, ProbeWish, hops
from .spec import ChainPlan, StageSpec
from .subscriptions import CONTEXT, CURSOR, CURSOR_MODELS, NONE, Offered, Subscriptions, chatgpt_slugs

Address = tuple[str, int]

STAGES = "codex_shim.stages"
SCRIPT_HOST = f"{STAGES}.kit.script"
# By which prices are compared: of a million tokens those that an agent reads, of these the cached ones, and those it writes.
_MIXTURE = (950_000, 800_000, 50_000)


class Need(msgspec.Struct, frozen=True):
    """An address to find for a stage. `bind` is false for a program that binds its port itself; port 0 means any."""

    name: str
    host: str
    port: int
    bind: bool = True


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What the files said, and this run's secrets. `advertised` is the path of contract/advertised.py's file, `offered` are the
    subscriptions' models, whose entries stand in the file `subscription_catalog`. `seal_key` is told to the door and to the ChatGPT
    worker, and to nobody between them. `desk_control` is the file that tells the desk where to ask the orchestrator. `probes`
    says between which stages a probe stands, by the name of the hop; `contents` and `prices` are those of `Sources`. `spent` is the
    path of contract/spent.py's file.
    """

    pipeline: Pipeline
    workers: list[Worker]
    catalog: list[dict[str, Any]]
    advertised: str
    local_token: Secret
    hop_token: Secret
    surroundings: Surroundings
    subscriptions: Subscriptions = NONE
    offered: list[Offered] = []
    subscription_catalog: str = ""
    seal_key: Secret = Secret("")
    desk_control: str = ""
    otel_control: str = ""
    probes: Mapping[str, ProbeWish] = {}
    contents: Mapping[str, str] = {}
    prices: Mapping[str, Price] = {}
    spent: str = ""


def needs(
    pipeline: Pipeline,
    workers: Sequence[Worker],
    port: int | None = None,
    subscriptions: Subscriptions = NONE,
    probes: Collection[str] = (),
) -> list[Need]:
    """`port` overrides the one of [pipeline]; `probes` are the hops that have one."""
    host, listen_port = parse_listen(pipeline.settings.listen)
    wanted = []
    for place, stage in enumerate(pipeline.stages):
        if stage.url is None:
            at = (host, listen_port if port is None else port) if place == 0 else parse_listen(stage.listen or "127.0.0.1:0")
            wanted.append(Need(stage.name, *at, bind=stage.command is None))
    if has_router(pipeline):
        wanted += [Need(name, "127.0.0.1", 0) for name in (*_own_names(workers), *subscriptions.names)]
    if has_desk(pipeline):
        wanted.append(Need(DESK, "127.0.0.1", 0))
    if pipeline.settings.otel:
        wanted.append(Need(OTEL, "127.0.0.1", 0))
    return wanted + [Need(hop.probe, "127.0.0.1", 0) for hop in hops_of(pipeline, workers, subscriptions) if hop.name in probes]


def check(pipeline: Pipeline, workers: Sequence[Worker], environ: Mapping[str, str], subscriptions: Subscriptions = NONE) -> None:
    """What can be judged only with the models and the environment at hand. Raises `ConfigError`."""
    problems = [
        *_env_problems(pipeline, environ),
        *_router_problems(pipeline, slugs(workers), subscriptions),
        *_egress_problems(pipeline, workers),
    ]
    if problems:
        raise ConfigError(problems)


def slugs(workers: Sequence[Worker]) -> list[str]:
    """All slugs of models.json; the demo's where there is none."""
    return [row.slug for worker in workers for row in worker.rows] or [DEMO]


def build(inputs: Inputs, addresses: Mapping[str, Address]) -> ChainPlan:
    """`addresses` holds one for each need."""
    workers = inputs.workers if has_router(inputs.pipeline) else []
    egress_specs = _egress_specs(inputs, workers, addresses) if has_router(inputs.pipeline) else []
    probes = _Probes(inputs, addresses)
    ways_out = {spec.name: probes.way(router_name(inputs.pipeline), spec) for spec in egress_specs}
    chain: list[StageSpec] = []
    following: StageSpec | None = None
    for stage in reversed(inputs.pipeline.stages):
        following = _stage_spec(inputs, stage, addresses, following, following and probes.way(stage.name, following), ways_out)
        chain.insert(0, following)
    side = [_desk_spec(inputs, addresses)] if has_desk(inputs.pipeline) else []
    side += [_otel_spec(inputs, addresses)] if inputs.pipeline.settings.otel else []
    return ChainPlan(chain=chain, egress=egress_specs, side=side, probes=probes.specs)


def has_router(pipeline: Pipeline) -> bool:
    return any(stage.use == "router" for stage in pipeline.stages)


def hops_of(pipeline: Pipeline, workers: Sequence[Worker], subscriptions: Subscriptions = NONE) -> list[Hop]:
    """All hops behind the door, in the order in which a request meets them."""
    behind = (*_own_names(workers), *subscriptions.names) if has_router(pipeline) else ()
    return hops([(stage.name, stage.url is not None) for stage in pipeline.stages], behind)


def router_name(pipeline: Pipeline) -> str:
    """Empty for a chain without one."""
    return next((stage.name for stage in pipeline.stages if stage.use == "router"), "")


def has_desk(pipeline: Pipeline) -> bool:
    """Our own ingress leads to it; another door would not."""
    return pipeline.stages[0].use == "ingress"


# -- one stage --------------------------------------------------------------------------------------------------------


def _stage_spec(
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
            "page_token": _page_token(inputs),
        }
    elif stage.use == "router":
        config |= {
            "routes": msgspec.to_builtins(_routes(inputs, ways_out)),
            "catalog": inputs.catalog,
            "advertised": inputs.advertised,
            "subscription_catalog": inputs.subscription_catalog,
            "prices": msgspec.to_builtins(inputs.prices) if config["limits"] else {},
            "spent": inputs.spent,
        }
    return config


# -- the desk ---------------------------------------------------------------------------------------------------------


def _desk_spec(inputs: Inputs, addresses: Mapping[str, Address]) -> StageSpec:
    """It sleeps until somebody opens the page. It is no worker of the router's, and gets no key."""
    config = msgspec.json.encode(DeskConfig(control=inputs.desk_control, page_token=_page_token(inputs)))
    return msgspec.structs.replace(_egress_spec(inputs, DESK, "desk", addresses, config), lazy=True)


def _otel_spec(inputs: Inputs, addresses: Mapping[str, Address]) -> StageSpec:
    """It has no key of a provider's, and of requests it hears what the log tells."""
    wanted, surroundings = inputs.pipeline.settings.otel, inputs.surroundings
    config = msgspec.json.encode(OtelConfig(control=inputs.otel_control, endpoint=otel.endpoint(wanted)))
    spec = _egress_spec(inputs, OTEL, "otel", addresses, config)
    return msgspec.structs.replace(spec, env={**spec.env, **otel.environment(wanted, surroundings.full, surroundings.proxies)})


def _page_token(inputs: Inputs) -> str:
    """What only our own page of this run knows. Whoever reads it there learns nothing of the token between the hops."""
    return hmac.new(inputs.hop_token.reveal().encode(), b"picker page", "sha256").hexdigest()


# -- egress -----------------------------------------------------------------------------------------------------------


def _own_names(workers: Sequence[Worker]) -> list[str]:
    return [worker.name for worker in workers] or [DEMO]


def _egress_specs(inputs: Inputs, workers: Sequence[Worker], addresses: Mapping[str, Address]) -> list[StageSpec]:
    specs = [
        _egress_spec(inputs, worker.name, "egress_http", addresses, msgspec.json.encode(_http_config(inputs, worker)))
        for worker in workers
    ]
    return [*(specs or [_demo_spec(inputs, addresses)]), *_subscription_specs(inputs, addresses)]


def _demo_spec(inputs: Inputs, addresses: Mapping[str, Address]) -> StageSpec:
    options = egress.demo_options(inputs.pipeline.egress.get(DEMO))
    return _egress_spec(inputs, DEMO, "egress_demo", addresses, msgspec.json.encode(options))


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
        spec = _egress_spec(inputs, name, module, addresses, msgspec.json.encode(config(inputs)))
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


def _egress_spec(inputs: Inputs, name: str, module: str, addresses: Mapping[str, Address], config: bytes) -> StageSpec:
    host, port = addresses[name]
    shake = Handshake(
        stage=name,
        host=host,
        port=port,
        config=inputs.surroundings.config_path(name),
        hop_token=inputs.hop_token,
        drain_seconds=inputs.pipeline.settings.drain_seconds,
    )
    surroundings = inputs.surroundings
    more = {"egress_cursor": surroundings.cursor, "desk": {}, "otel": {}}.get(module, surroundings.proxies)
    return StageSpec(
        name=name,
        kind="module",
        host=host,
        port=port,
        argv=(f"{STAGES}.{module}",),
        env={**surroundings.base, **more, **shake.environ()},
        config=config,
        secret=True,
        drain_seconds=inputs.pipeline.settings.drain_seconds,
    )


def _routes(inputs: Inputs, urls: Mapping[str, str]) -> dict[str, Route]:
    """In the order of the catalog: the user's own models, ChatGPT's, Cursor's, and the demo's where there is none of the first."""
    routes = {
        row.slug: _own_route(row, worker.name, urls[worker.name], inputs.prices.get(row.slug))
        for worker in inputs.workers
        for row in worker.rows
    }
    for model in inputs.offered:
        if model.subscription is None:
            routes[model.slug] = msgspec.structs.replace(routes[model.target], hidden=True)
        else:
            url = urls[model.subscription]
            routes[model.slug] = Route(
                egress=model.subscription,
                url=url,
                model=model.target,
                subscription=model.subscription,
                hidden=model.hidden,
                context=CONTEXT,
                images=model.subscription != CURSOR,
            )
    if not inputs.workers:
        routes[DEMO] = Route(egress=DEMO, url=urls[DEMO], model=DEMO, stand_in=True)
    return routes


def _own_route(row: ModelRow, egress: str, url: str, price: Price | None) -> Route:
    return Route(
        egress=egress,
        url=url,
        model=row.slug,
        context=row.max_context,
        images=row.images,
        tools=row.tools,
        price=price.cost(*_MIXTURE) if price else None,
    )


# -- probes -----------------------------------------------------------------------------------------------------------


class _Probes:
    """Those that are wished for; `specs` grows with each way that is asked for."""

    def __init__(self, inputs: Inputs, addresses: Mapping[str, Address]) -> None:
        self._inputs = inputs
        self._addresses = addresses
        self._hops = {(hop.front, hop.behind): hop for hop in hops_of(inputs.pipeline, inputs.workers, inputs.subscriptions)}
        self.specs: list[StageSpec] = []

    def way(self, front: str, behind: StageSpec) -> str:
        """The base URL by which the one reaches the other."""
        hop = self._hops.get((front, behind.name))
        wish = self._inputs.probes.get(hop.name) if hop is not None and not hop.fixed else None
        if hop is None or wish is None:
            return behind.url
        spec = self._spec(hop, wish, behind)
        self.specs.append(spec)
        return spec.url

    def _spec(self, hop: Hop, wish: ProbeWish, behind: StageSpec) -> StageSpec:
        """It sleeps where the stage behind it does."""
        host, port = self._addresses[hop.probe]
        inputs, drain_seconds = self._inputs, self._inputs.pipeline.settings.drain_seconds
        shake = Handshake(
            stage=hop.probe,
            host=host,
            port=port,
            next=behind.url,
            next_name=f"the stage {behind.name}",
            config=inputs.surroundings.config_path(hop.probe),
            hop_token=inputs.hop_token,
            drain_seconds=drain_seconds,
        )
        config = ProbeConfig(hop=hop.name, check=wish.check, watch_token=wish.watch_token.reveal())
        return StageSpec(
            name=hop.probe,
            kind="module",
            host=host,
            port=port,
            argv=(f"{STAGES}.probe",),
            env={**inputs.surroundings.base, **shake.environ()},
            config=msgspec.json.encode(config),
            secret=True,
            lazy=behind.lazy,
            drain_seconds=drain_seconds,
        )


# -- judging ----------------------------------------------------------------------------------------------------------


def _env_problems(pipeline: Pipeline, environ: Mapping[str, str]) -> list[Problem]:
    problems = []
    for place, stage in enumerate(pipeline.stages):
        for name, value in stage.env.items():
            try:
                values.expand(value, environ)
            except values.MissingVariableError as error:
                problems.append(pipeline.problem(("stage", place, "env", name), str(error)))
    return problems


def _router_problems(pipeline: Pipeline, own: Sequence[str], subscriptions: Subscriptions) -> list[Problem]:
    """Which models OpenAI has is not ours to say, and changes; a name that looks like one is taken as it is."""
    known = [*own, *(name for model in CURSOR_MODELS for name in (model.slug, model.cli_name) if subscriptions.cursor)]

    def is_known(slug: str) -> bool:
        return slug in known or (subscriptions.chatgpt is not None and is_openai(slug.removeprefix("openai-")))

    return [
        pipeline.problem(("stage", place, *at), sentence)
        for place, stage in enumerate(pipeline.stages)
        if isinstance(stage.options, RouterOptions)
        for at, sentence in virtuals.problems(stage.options, known, is_known)
    ]


def _egress_problems(pipeline: Pipeline, workers: Sequence[Worker]) -> list[Problem]:
    names = [*_own_names(workers), *SUBSCRIPTIONS]
    return [
        pipeline.problem(("egress", name), f"there is no egress named `{name}`{did_you_mean(name, names)}")
        for name in pipeline.egress
        if name not in (*names, DEMO)
    ]
