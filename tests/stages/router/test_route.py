"""Slugs, aliases, background slugs, and the sentence for one that nobody serves."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.router.config import Config, Route
from codex_shim.stages.router.route import listing, resolve

CONFIG = Config(
    routes={
        "kimi": Route(egress="moonshot", url="http://127.0.0.1:1", model="kimi"),
        "opus": Route(egress="anthropic", url="http://127.0.0.1:2", model="opus"),
    },
    aliases={"k2": "kimi", "dangling": "gone"},
    catalog=[{"slug": "kimi"}, {"slug": "opus"}],
)


@pytest.mark.parametrize(
    ("asked", "slug"),
    [("kimi", "kimi"), ("opus", "opus"), ("k2", "kimi"), ("codex-auto-review", "kimi"), ("gpt-6.1-terra", "kimi")],
)
def test_a_slug_finds_its_egress(asked: str, slug: str) -> None:
    assert resolve(CONFIG, asked) == (slug, CONFIG.routes[slug])


def test_the_default_for_background_slugs_can_be_chosen() -> None:
    config = Config(routes=CONFIG.routes, default="opus")
    assert resolve(config, "codex-auto-review")[0] == "opus"


def test_a_configured_slug_is_its_own_even_if_codex_uses_it_in_the_background() -> None:
    route = Route(egress="x", url="http://127.0.0.1:3", model="m")
    config = Config(routes={**CONFIG.routes, "codex-auto-review": route})
    assert resolve(config, "codex-auto-review") == ("codex-auto-review", route)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("kimmi", "no model named `kimmi` is configured; did you mean `kimi`?"),
        ("zzz", "no model named `zzz` is configured; `codex-shim list` shows the models there are."),
        ("dangling", "no model named `dangling` is configured; `codex-shim list` shows the models there are."),
    ],
)
def test_an_unknown_slug_is_refused_with_the_nearest(asked: str, sentence: str) -> None:
    with pytest.raises(HopError) as refusal:
        resolve(CONFIG, asked)
    failure = refusal.value.failure
    assert (failure.message, failure.code, failure.status) == (sentence, "model_not_found", 404)


def test_a_router_without_models_refuses_everything() -> None:
    with pytest.raises(HopError):
        resolve(Config(), "codex-auto-review")


def test_the_listing_serves_both_kinds_of_client() -> None:
    both = listing(CONFIG, 1)
    assert both["models"] == CONFIG.catalog
    assert [row["id"] for row in both["data"]] == ["kimi", "opus"]
    assert both["object"] == "list"
