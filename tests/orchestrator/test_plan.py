"""From files to processes: who is told what, and above all who is not."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from codex_shim.orchestrator import egress, plan
from codex_shim.orchestrator.codex import known_models
from codex_shim.orchestrator.environment import survey
from codex_shim.orchestrator.settings import models, pipeline
from codex_shim.orchestrator.settings.problems import ConfigError
from codex_shim.orchestrator.sight.hops import ProbeWish
from codex_shim.orchestrator.spec import ChainPlan
from codex_shim.orchestrator.subscriptions import NONE, ChatGpt, Cursor, Subscriptions, offered
from codex_shim.stages.contract.secret import Secret
from codex_shim.stages.router.config import BACKGROUND_SLUGS

DEFAULT = Path(pipeline.packaged_default()).read_text()
MODELS = [
    {"model": "deepseek-chat", "provider": "deepseek", "api_key": "sk-one"},
    {"model": "deepseek-reasoner", "provider": "deepseek", "api_key": "sk-one"},
    {"model": "other", "provider": "deepseek", "api_key": "sk-two"},
    {"model": "m", "provider": "openai", "base_url": "http://127.0.0.1:9/v1"},
]
ENVIRON = {
    "PATH": "/bin",
    "HOME": "/h",
    "OPENAI_API_KEY": "sk-env",
    "CURSOR_API_KEY": "crsr-env",
    "HTTPS_PROXY": "http://p",
    "LC_ALL": "C",
    "XDG_RUNTIME_DIR": "/run/user",
}
BOTH = Subscriptions(
    chatgpt=ChatGpt(auth_file="/h/.codex/auth.json"), cursor=Cursor(binary="/b", folder="/run/slots", workspace="/w")
)


def build(
    text: str = DEFAULT,
    rows: list[dict] | None = None,
    subscriptions: Subscriptions = NONE,
    probes: dict[str, ProbeWish] | None = None,
) -> ChainPlan:
    chain_file = pipeline.parse(text, "/x/pipeline.toml", lambda program: program)
    found = models.parse(json.dumps(MODELS if rows is None else rows), "/x/models.json", {}, lambda command: "")
    assert not found.problems
    workers = egress.derive(found.rows, [stage.name for stage in chain_file.stages])
    plan.check(chain_file, workers, ENVIRON, subscriptions)
    own = [row.slug for row in found.rows]
    inputs = plan.Inputs(
        pipeline=chain_file,
        workers=workers,
        catalog=[],
        advertised="/run/advertised.json",
        local_token=Secret("local-token"),
        hop_token=Secret("hop-token"),
        surroundings=survey(ENVIRON, Path("/run/stages")),
        subscriptions=subscriptions,
        offered=offered(subscriptions, known_models.read(b"", b""), own, BACKGROUND_SLUGS),
        subscription_catalog="/run/subscriptions.json",
        seal_key=Secret("seal-key"),
        desk_control="/run/desk.json",
        probes=probes or {},
    )
    needs = plan.needs(chain_file, workers, None, subscriptions, inputs.probes)
    return plan.build(inputs, {need.name: (need.host, need.port or 40000 + place) for place, need in enumerate(needs)})


def test_the_default_chain_is_wired_in_order() -> None:
    it = build()
    assert [spec.name for spec in it.chain] == ["ingress", "policy", "router"]
    assert [spec.name for spec in it.egress] == ["deepseek", "deepseek-2", "127-0-0-1-9"]
    assert [spec.name for spec in it.start_order][-1] == "ingress"
    ingress, policy, router = it.chain
    assert ingress.url == "http://127.0.0.1:8765"
    assert ingress.env["CODEX_SHIM_NEXT"] == policy.url
    assert policy.env["CODEX_SHIM_NEXT"] == router.url
    assert "CODEX_SHIM_NEXT" not in router.env


def test_a_credential_is_one_worker_and_only_it_has_the_key() -> None:
    it = build()
    keys = {spec.name: [key for key in (b"sk-one", b"sk-two") if spec.config and key in spec.config] for spec in it.start_order}
    assert keys == {
        "deepseek": [b"sk-one"],
        "deepseek-2": [b"sk-two"],
        "127-0-0-1-9": [],
        "router": [],
        "policy": [],
        "ingress": [],
        "desk": [],
    }
    for spec in it.start_order:
        assert "sk-" not in json.dumps(spec.env) + repr(spec) + " ".join(spec.argv)
        assert spec.secret == (spec in it.egress or spec.name in ("ingress", "desk"))
    assert "sk-" not in repr(it)


def test_only_what_leaves_the_machine_knows_the_proxies() -> None:
    it = build()
    assert all("HTTPS_PROXY" not in spec.env for spec in it.chain)
    assert all(spec.env["HTTPS_PROXY"] == "http://p" for spec in it.egress)
    assert all(spec.env["LC_ALL"] == "C" for spec in it.start_order)


def test_routes_name_every_slug_and_its_worker() -> None:
    it = build()
    router = json.loads(it.chain[2].config or b"")
    assert {slug: route["egress"] for slug, route in router["routes"].items()} == {
        "deepseek-chat": "deepseek",
        "deepseek-reasoner": "deepseek",
        "other": "deepseek-2",
        "m": "127-0-0-1-9",
    }
    assert router["routes"]["m"]["url"] == it.egress[2].url


def test_without_models_the_demo_serves() -> None:
    it = build(rows=[])
    assert [spec.name for spec in it.egress] == ["demo"]
    assert json.loads(it.chain[2].config or b"")["routes"]["demo"]["url"] == it.egress[0].url


def test_a_probe_stands_between_the_stages_of_its_hop_and_in_no_other() -> None:
    wish = ProbeWish(check="log", watch_token=Secret("watch"))
    it = build(probes={"ingress>policy": wish, "router>deepseek": ProbeWish(), "router>nobody": ProbeWish()})
    ingress, policy, router = it.chain
    assert [spec.name for spec in it.probes] == ["probe-router-deepseek", "probe-ingress-policy"]
    way_out, way_in = it.probes
    assert ingress.env["CODEX_SHIM_NEXT"] == way_in.url
    assert way_in.env["CODEX_SHIM_NEXT"] == policy.url
    assert way_in.env["CODEX_SHIM_NEXT_NAME"] == ingress.env["CODEX_SHIM_NEXT_NAME"] == "the stage policy"
    assert policy.env["CODEX_SHIM_NEXT"] == router.url
    routes = json.loads(router.config or b"")["routes"]
    assert routes["deepseek-chat"] == {**routes["deepseek-chat"], "url": way_out.url, "egress": "deepseek"}
    assert routes["other"]["url"] == it.egress[1].url
    assert json.loads(way_in.config or b"") == {"hop": "ingress>policy", "check": "log", "watch_token": "watch"}
    assert "watch" not in json.dumps(way_in.env)
    assert [spec.name for spec in it.start_order][-4:] == ["probe-ingress-policy", "router", "policy", "ingress"]


def test_a_probe_sleeps_where_what_stands_behind_it_does() -> None:
    it = build(rows=[], subscriptions=BOTH, probes={"router>demo": ProbeWish(), "router>chatgpt": ProbeWish()})
    assert {spec.name: spec.lazy for spec in it.probes} == {"probe-router-demo": False, "probe-router-chatgpt": True}


def test_custom_stages_go_where_their_table_stands() -> None:
    redact = '[[stage]]\nname = "redact"\ncommand = ["redact", "-p", "{port}", "--to={next}", "{}", "{listen}"]\nready = "tcp"\n'
    text = DEFAULT.replace('[[stage]]\nname = "router"', redact + '[stage.env]\nA = "${LC_ALL}"\n[[stage]]\nname = "router"')
    it = build(text)
    _, policy, own, router = it.chain
    assert own.argv == ("redact", "-p", str(own.port), f"--to={router.url}", "{}", f"127.0.0.1:{own.port}")
    assert (own.kind, own.inherits, own.ready) == ("command", False, "tcp")
    assert policy.env["CODEX_SHIM_NEXT"] == own.url
    assert own.env["A"] == "C"
    assert "OPENAI_API_KEY" not in own.env


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            DEFAULT + 'default = "deepsek-chat"\n',
            "/x/pipeline.toml:19:11: there is no model named `deepsek-chat`; did you mean `deepseek-chat`?",
        ),
        (DEFAULT + 'aliases = { a = "zz" }\n', "/x/pipeline.toml:19:17: there is no model named `zz`"),
        (DEFAULT + "[egress.deepsek]\nidle_seconds = 1\n", "there is no egress named `deepsek`; did you mean `deepseek`?"),
    ],
)
def test_names_that_nobody_has_are_reported_with_their_place(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        build(text)
    assert sentence in str(refusal.value)


def test_an_unset_variable_of_a_stage_is_reported() -> None:
    text = DEFAULT.replace(
        '[[stage]]\nname = "router"',
        '[[stage]]\nname = "x"\ncommand = ["x"]\nenv = { A = "${NOT_SET}" }\n[[stage]]\nname = "router"',
    )
    with pytest.raises(ConfigError, match="the environment variable NOT_SET is not set"):
        build(text)


def test_a_table_for_an_egress_tunes_its_worker() -> None:
    it = build(DEFAULT + "[egress.deepseek]\nidle_seconds = 7\n")
    assert json.loads(it.egress[0].config or b"")["idle_seconds"] == 7
    assert json.loads(it.egress[1].config or b"")["idle_seconds"] == 600


# -- subscriptions ----------------------------------------------------------------------------------------------------


def config_of(it: ChainPlan, name: str) -> dict:
    spec = it.find(name)
    assert spec is not None
    return json.loads(spec.config or b"")


def test_subscriptions_have_a_worker_each_that_sleeps() -> None:
    assert BOTH.cursor is not None
    cut_off = build(subscriptions=msgspec.structs.replace(BOTH, cursor=msgspec.structs.replace(BOTH.cursor, cut_off=True)))
    assert [spec.name for spec in cut_off.egress if spec.lazy] == ["chatgpt"], "Cursor's clears what a killed one has left"
    it = build(subscriptions=BOTH)
    assert [spec.name for spec in it.egress if spec.lazy] == ["chatgpt", "cursor"]
    chatgpt, cursor = config_of(it, "chatgpt"), config_of(it, "cursor")
    assert (chatgpt["base_url"], chatgpt["dialect"]) == ("https://chatgpt.com/backend-api/codex", "responses")
    assert chatgpt["login"] == {"path": "/h/.codex/auth.json", "seal_key": "seal-key"}
    assert "gpt-5.5" in chatgpt["models"]
    assert (cursor["binary"], cursor["folder"], cursor["workspace"]) == ("/b", "/run/slots", "/w")
    assert cursor["models"]["composer-2-5"] == "composer-2.5"


def test_only_the_door_and_the_chatgpt_worker_can_open_what_is_sealed() -> None:
    it = build(subscriptions=BOTH)
    assert {spec.name for spec in it.start_order if b"seal-key" in (spec.config or b"")} == {"ingress", "chatgpt"}
    assert config_of(build(), "ingress")["seal_key"] == "", "where nobody could open it, nothing is sealed"


def test_only_the_cursor_worker_knows_where_cursors_login_is_and_nobody_its_key() -> None:
    it = build(subscriptions=BOTH)
    assert {spec.name for spec in it.start_order if "XDG_RUNTIME_DIR" in spec.env} == {"cursor"}
    assert all("CURSOR_API_KEY" not in spec.env and "OPENAI_API_KEY" not in spec.env for spec in it.start_order)
    cursor = it.find("cursor")
    assert cursor is not None
    assert cursor.env["HTTPS_PROXY"] == "http://p"


def test_d53_a_row_named_like_a_model_of_chatgpt_is_the_rows() -> None:
    """The very first example of the earlier shim's README went to ChatGPT, with the user's login."""
    rows = [{"model": "gpt-5.5", "provider": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": "sk-one"}]
    routes = config_of(build(rows=rows, subscriptions=BOTH), "router")["routes"]
    for slug in ("gpt-5-5", "gpt-5.5"):
        assert (routes[slug]["egress"], routes[slug]["model"]) == ("127-0-0-1-9", "gpt-5-5")
    assert (routes["openai-gpt-5-5"]["egress"], routes["openai-gpt-5-5"]["model"]) == ("chatgpt", "gpt-5.5")
    assert next(iter(routes)) == "gpt-5-5"
    assert "codex-auto-review" not in routes


def test_without_models_the_demo_stands_in_for_subscriptions_that_cannot_be_used() -> None:
    it = build(rows=[], subscriptions=BOTH)
    assert [spec.name for spec in it.egress] == ["demo", "chatgpt", "cursor"]
    routes = config_of(it, "router")["routes"]
    assert routes["demo"]["stand_in"] is True
    assert routes["codex-auto-review"] == {**routes["gpt-5.5"], "model": "codex-auto-review", "hidden": True}


def test_tables_tune_the_workers_of_subscriptions() -> None:
    it = build(DEFAULT + "[egress.chatgpt]\nidle_seconds = 7\n[egress.cursor]\nslots = 5\n", subscriptions=BOTH)
    assert config_of(it, "chatgpt")["idle_seconds"] == 7
    assert config_of(it, "cursor")["slots"] == 5


def test_a_subscriptions_model_can_be_the_default() -> None:
    for slug in ("gpt-9", "openai-gpt-5-5", "composer-2-5"):
        build(DEFAULT + f'default = "{slug}"\n', subscriptions=BOTH)
    with pytest.raises(ConfigError, match="there is no model named `gpt-9`"):
        build(DEFAULT + 'default = "gpt-9"\n')


@pytest.mark.parametrize("name", ["chatgpt", "cursor"])
def test_their_names_are_taken(name: str) -> None:
    with pytest.raises(ConfigError, match=f"`{name}` is taken by the worker that serves a"):
        build(DEFAULT.replace('name = "policy"', f'name = "{name}"'))
    rows = [{"model": "m", "provider": "openai", "base_url": f"https://{name}/v1", "api_key": "k"}]
    assert build(rows=rows, subscriptions=BOTH).egress[0].name == f"{name}-2"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://example.com/x", "is plain http to another machine"),
        ("ftp://127.0.0.1/x", "must begin with https://"),
    ],
)
def test_the_login_is_not_sent_just_anywhere(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=f"`base_url` in .egress.chatgpt. {sentence}"):
        build(DEFAULT + f'[egress.chatgpt]\nbase_url = "{url}"\n')


def test_a_test_can_lead_it_elsewhere() -> None:
    text = DEFAULT + '[egress.chatgpt]\nbase_url = "http://127.0.0.1:9/backend-api/codex/"\n'
    options = pipeline.parse(text, "/x/pipeline.toml").egress["chatgpt"]
    assert isinstance(options, pipeline.ChatGptOptions)
    assert options.base_url == "http://127.0.0.1:9/backend-api/codex"


def test_the_desk_stands_beside_the_chain_and_sleeps() -> None:
    """It is no worker of the router's, and knows nothing but where to ask and the token of its page."""
    it = build()
    desk = it.find("desk")
    assert desk is not None
    assert (it.side, desk.lazy, desk.secret) == ([desk], True, True)
    told, door = json.loads(desk.config or b""), json.loads(it.chain[0].config or b"")
    assert told == {"control": "/run/desk.json", "page_token": door["page_token"]}
    assert door["desk"] == desk.url
    assert desk.url not in (it.chain[2].config or b"").decode(), "no route leads there"
    assert len(told["page_token"]) == 64
    assert "hop-token" not in told["page_token"]
    assert "HTTPS_PROXY" not in desk.env, "it leaves the machine for nobody"


def test_no_stage_and_no_worker_takes_the_name_of_the_desk() -> None:
    with pytest.raises(ConfigError, match="`desk` is taken by the worker that serves the picker page"):
        build(text=DEFAULT.replace('name = "policy"', 'name = "desk"'))
    rows = [{"model": "m", "provider": "openai", "base_url": "https://desk/v1", "api_key": "k"}]
    assert [spec.name for spec in build(rows=rows).egress] == ["desk-2"]
