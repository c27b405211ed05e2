"""Virtual slugs: what is refused, and what Codex and the picker are shown of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from codex_shim.orchestrator import egress, plan
from codex_shim.orchestrator.codex.cli import Prompt
from codex_shim.orchestrator.desk import cards
from codex_shim.orchestrator.offer import Offer
from codex_shim.orchestrator.offering import Offering, prepare
from codex_shim.orchestrator.planning.routes import own_route
from codex_shim.orchestrator.settings import models, pipeline
from codex_shim.orchestrator.settings.problems import ConfigError
from codex_shim.orchestrator.sources import Sources
from codex_shim.orchestrator.subscriptions import NONE, ChatGpt, Subscriptions
from codex_shim.stages.contract.advertised import Advertised
from codex_shim.stages.contract.price import Price

DEFAULT = pipeline.packaged_default().read_text()
CHATGPT = Subscriptions(chatgpt=ChatGpt(auth_file="/h/.codex/auth.json"))
ROWS = [
    {"model": "kimi-k2", "provider": "openai", "base_url": "http://127.0.0.1:9/v1", "max_context_limit": 200_000},
    {"model": "deepseek-chat", "slug": "blind", "provider": "deepseek", "api_key": "k", "no_image_support": True},
    {"model": "claude-opus-5", "slug": "opus", "provider": "anthropic", "api_key": "k", "max_context_limit": 150_000},
]


def sources(more: str, subscriptions: Subscriptions = NONE) -> Sources:
    """Of the default chain with more in the router's table."""
    file = pipeline.parse(DEFAULT + more, "/x/pipeline.toml")
    found = models.parse(json.dumps(ROWS), "/x/models.json", {}, str)
    workers = egress.derive(found.rows, [stage.name for stage in file.stages])
    plan.check(file, workers, {}, subscriptions)
    return Sources(pipeline=file, workers=workers, rows=found.rows, row_problems=[], subscriptions=subscriptions)


def offering(folder: Path, more: str, subscriptions: Subscriptions = NONE) -> tuple[Offering, bytes]:
    return prepare(sources(more, subscriptions), Prompt("short", "a test"), {"CODEX_HOME": str(folder)})


@pytest.mark.parametrize(
    ("more", "problems"),
    [
        ('aliases = { "claude-*" = "opsu" }', ["19:26: there is no model named `opsu`; did you mean `opus`?"]),
        ("[stage.virtual.best]\nmembers = []", ["20:11: the virtual slug `best` has no members"]),
        ("[stage.virtual.opus]\nmembers = ['blind']", ["19:1: `opus` is the slug of a model already"]),
        ("[stage.virtual.'The Best']\nmembers = ['opus']", ["`The Best` cannot be a slug", "write it as `the-best`"]),
        (
            "[stage.virtual.a]\nmembers = ['b']\n[stage.virtual.b]\nmembers = ['opus', 'a']",
            [":20:", "`a` leads", ":22:", "`b` leads"],
        ),
        ("[stage.virtual.a]\nmembers = ['opus']\nweights = { opus = 1 }", ["have a meaning with `choose"]),
        (
            "[stage.virtual.a]\nmembers = ['opus']\nchoose = 'weighted'\nweights = { opsu = 1 }",
            ["22:20: `opsu` is no member of `a`; did you mean `opus`?"],
        ),
        (
            "fallbacks = { opus = ['blnd'], nobody = ['opus'] }",
            ["there is no model named `blnd`; did you mean `blind`", "`nobody`"],
        ),
        ("fallbacks = { opus = ['v'] }\n[stage.virtual.v]\nmembers = ['opus']", ["19:23: `opus` would stand in for itself"]),
        (
            "[stage.virtual.a]\nmembers = ['opus']\nchoose = 'luck'",
            ['"order" or "weighted" or "cheapest" or "least-latency", not "luck"'],
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(more: str, problems: list[str]) -> None:
    with pytest.raises(ConfigError) as refusal:
        sources(more)
    for sentence in problems:
        assert sentence in str(refusal.value)


def test_codex_is_told_what_every_member_can_do(tmp_path: Path) -> None:
    more = """
[stage.virtual.best]
members = ["kimi-k2", "opus"]
display_name = "The best"
[stage.virtual.all]
members = ["best", "blind"]
"""
    found, _ = offering(tmp_path, more)
    assert found.listed(Advertised()) == ["kimi-k2", "blind", "opus", "best", "all"]
    best, everybody = found.entries[3:]
    assert set(best) == set(found.entries[0])
    assert (best["display_name"], best["context_window"], best["input_modalities"]) == ("The best", 150_000, ["text", "image"])
    assert (everybody["description"], everybody["input_modalities"]) == ("One of kimi-k2, opus, blind", ["text"])
    efforts = [[level["effort"] for level in entry["supported_reasoning_levels"]] for entry in found.entries]
    assert efforts[3] == [effort for effort in efforts[2] if effort in efforts[0]]
    assert best["default_reasoning_level"] in efforts[3]
    assert [entry["priority"] for entry in found.entries] == [0, 1, 2, 3, 4]


def test_a_member_of_a_subscription_is_one_as_long_as_its_login_can_be_used(tmp_path: Path) -> None:
    more = '[stage.virtual.theirs]\nmembers = ["gpt-5.5"]\n[stage.virtual.mixed]\nmembers = ["gpt-5.5", "opus"]\n'
    found, entries = offering(tmp_path, more, CHATGPT)
    without, usable = Advertised(), Advertised(chatgpt_passthrough=True)
    assert found.listed(without) == ["kimi-k2", "blind", "opus", "mixed"]
    assert found.listed(usable)[3:6] == ["theirs", "mixed", "gpt-5.5"]
    by_slug = {entry["slug"]: entry for entry in found.catalog(usable, entries)}
    assert by_slug["theirs"]["context_window"] == by_slug["gpt-5.5"]["context_window"]
    assert by_slug["mixed"]["context_window"] == 150_000
    offer = Offer(offering=found, more=entries, advertised=without, states={})
    assert [(row["slug"], row["model"]) for row in offer.virtual()] == [("mixed", "gpt-5.5, opus")]
    assert offer.find("mixed", []) == "mixed"


def test_the_picker_shows_a_virtual_slug_with_its_members(tmp_path: Path) -> None:
    it = sources('[stage.virtual.best]\nmembers = ["opus", "blind"]\n')
    found, entries = offering(tmp_path, '[stage.virtual.best]\nmembers = ["opus", "blind"]\n')
    facts = cards.gather(it.rows, it.workers, found.offered, found.entries, entries, found.virtual, "router")
    assert (facts["best"].provider, facts["best"].model, facts["best"].egress) == ("virtual", "opus, blind", "router")
    assert facts["opus"].egress == "anthropic"


def test_the_router_is_told_what_each_model_can_take() -> None:
    rows = models.parse(json.dumps([*ROWS, {**ROWS[0], "slug": "mute", "no_tool_support": True}]), "m", {}, str).rows
    workers = egress.derive(rows, [])
    told = {row.slug: own_route(row, worker.name, "u", None) for worker in workers for row in worker.rows}
    assert (told["kimi-k2"].context, told["kimi-k2"].tools, told["mute"].tools) == (200_000, True, False)
    assert (told["blind"].images, told["opus"].images, told["opus"].price) == (False, True, None)
    priced = own_route(rows[0], "egress", "u", Price(input=1, output=10))
    assert priced.price == pytest.approx(1.45)
