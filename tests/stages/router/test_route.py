"""Slugs, aliases, background slugs, and the sentence for one that nobody serves."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.advertised import Advertised
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.router.config import Config, Route
from codex_shim.stages.router.route import depends_on_offer, etag, listed, listing, resolve

NOTHING = Advertised()
CHATGPT = Advertised(chatgpt_passthrough=True)
CURSOR = Advertised(cursor_passthrough=True)
BOTH = Advertised(chatgpt_passthrough=True, cursor_passthrough=True)

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
    assert resolve(CONFIG, asked, NOTHING) == slug


def test_the_default_for_background_slugs_can_be_chosen() -> None:
    config = Config(routes=CONFIG.routes, default="opus")
    assert resolve(config, "codex-auto-review", NOTHING) == "opus"


def test_a_configured_slug_is_its_own_even_if_codex_uses_it_in_the_background() -> None:
    route = Route(egress="x", url="http://127.0.0.1:3", model="m")
    config = Config(routes={**CONFIG.routes, "codex-auto-review": route})
    assert resolve(config, "codex-auto-review", NOTHING) == "codex-auto-review"


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
        resolve(CONFIG, asked, NOTHING)
    failure = refusal.value.failure
    assert (failure.message, failure.code, failure.status) == (sentence, "model_not_found", 404)


def test_a_router_without_models_refuses_everything() -> None:
    with pytest.raises(HopError):
        resolve(Config(), "codex-auto-review", NOTHING)


def test_the_listing_serves_both_kinds_of_client() -> None:
    both = listing(CONFIG, NOTHING, [], 1)
    assert both["models"] == CONFIG.catalog
    assert [row["id"] for row in both["data"]] == ["kimi", "opus"]
    assert both["object"] == "list"


# -- subscriptions ----------------------------------------------------------------------------------------------------


def subscribed(slug: str, subscription: str = "chatgpt", **more: bool) -> Route:
    return Route(egress=subscription, url="http://127.0.0.1:8", model=slug, subscription=subscription, **more)  # pyright: ignore[reportArgumentType]


SUBSCRIBED = {
    "gpt-5.5": subscribed("gpt-5.5"),
    "codex-auto-review": subscribed("codex-auto-review", hidden=True),
    "openai-gpt-5-5": subscribed("gpt-5.5", hidden=True),
    "composer-2-5": subscribed("composer-2-5", "cursor"),
}
DEMO = {"demo": Route(egress="demo", url="http://127.0.0.1:9", model="demo", stand_in=True)}
WITHOUT_OWN = Config(routes={**SUBSCRIBED, **DEMO})
WITH_OWN = Config(routes={**CONFIG.routes, **{slug: r for slug, r in SUBSCRIBED.items() if slug != "codex-auto-review"}})


@pytest.mark.parametrize(
    ("offer", "slugs"),
    [
        (NOTHING, ["demo"]),
        (CHATGPT, ["gpt-5.5"]),
        (CURSOR, ["composer-2-5"]),
        (BOTH, ["gpt-5.5", "composer-2-5"]),
    ],
)
def test_d55_only_what_a_usable_login_serves_is_listed_and_the_demo_stands_in(offer: Advertised, slugs: list[str]) -> None:
    assert listed(WITHOUT_OWN, offer) == slugs
    assert [row["id"] for row in listing(WITHOUT_OWN, offer, [], 1)["data"]] == slugs


def test_the_users_own_models_come_first_and_codex_reads_whole_entries_in_that_order() -> None:
    more = [{"slug": "composer-2-5", "n": 3}, {"slug": "gpt-5.5", "n": 2}, {"slug": "gone"}]
    config = Config(routes=WITH_OWN.routes, catalog=CONFIG.catalog)
    both = listing(config, BOTH, more, 1)
    assert [row["id"] for row in both["data"]] == ["kimi", "opus", "gpt-5.5", "composer-2-5"]
    assert both["models"] == [{"slug": "kimi"}, {"slug": "opus"}, {"slug": "gpt-5.5", "n": 2}, {"slug": "composer-2-5", "n": 3}]


@pytest.mark.parametrize("offer", [NOTHING, BOTH])
@pytest.mark.parametrize("slug", ["gpt-5.5", "openai-gpt-5-5", "composer-2-5", "demo"])
def test_what_somebody_chose_goes_where_it_belongs_on_offer_or_not(slug: str, offer: Advertised) -> None:
    assert resolve(WITHOUT_OWN, slug, offer) == slug
    assert not depends_on_offer(WITHOUT_OWN, slug)


@pytest.mark.parametrize(
    ("offer", "slug"), [(NOTHING, "demo"), (CHATGPT, "codex-auto-review"), (CURSOR, "composer-2-5"), (BOTH, "codex-auto-review")]
)
def test_a_background_slug_goes_to_what_is_on_offer(offer: Advertised, slug: str) -> None:
    assert depends_on_offer(WITHOUT_OWN, "codex-auto-review")
    assert resolve(WITHOUT_OWN, "codex-auto-review", offer) == slug


@pytest.mark.parametrize("offer", [NOTHING, BOTH])
def test_d53_with_models_of_the_users_own_a_background_slug_never_goes_to_a_subscription(offer: Advertised) -> None:
    assert not depends_on_offer(WITH_OWN, "codex-auto-review")
    assert resolve(WITH_OWN, "codex-auto-review", offer) == "kimi"


def test_a_default_whose_login_is_not_usable_is_replaced_by_what_is_on_offer() -> None:
    config = Config(routes=WITHOUT_OWN.routes, default="composer-2-5")
    assert resolve(config, "gpt-6.1-terra", BOTH) == "composer-2-5"
    assert resolve(config, "gpt-6.1-terra", CHATGPT) == "gpt-5.5"


def test_a_default_that_openai_no_longer_has_is_no_reason_to_refuse() -> None:
    config = Config(routes=WITH_OWN.routes, default="gpt-4")
    assert resolve(config, "gpt-6.1-terra", NOTHING) == "kimi"


def test_our_model_list_can_be_told_from_openais() -> None:
    assert etag(b"a").startswith('W/"codex-shim-')
    assert etag(b"a") != etag(b"b")
