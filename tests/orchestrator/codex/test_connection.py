"""The two ways to lead Codex here: what is written, and how it is known again."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.orchestrator.codex.connection import Chain, leads_here, look
from codex_shim.stages.contract.headers import LOCAL_TOKEN

CHAIN = Chain(url="http://127.0.0.1:8765/v1", token="the-token", catalog="/h/catalog.json", slugs=["kimi", "qwen"])


def written(way: Any, *, login: bool = False, chain: Chain = CHAIN) -> dict[str, Any]:
    """The configuration that `enable` makes of an empty one."""
    provider = chain.provider(way, login=login)
    return {**chain.top(way, "kimi"), **({"model_providers": {"codex_shim": provider}} if provider else {})}


@pytest.mark.parametrize(("way", "login"), [("provider", False), ("provider", True), ("threads", False)])
def test_what_is_written_is_known_again_and_in_step(way: Any, login: bool) -> None:
    found = look(written(way, login=login), CHAIN)
    assert found is not None
    assert (found.way, found.login, found.model, found.mine, found.wrong) == (way, login, "kimi", True, [])


def test_the_provider_of_our_own_brings_the_token_as_bearer_or_beside_the_login() -> None:
    plain, login = CHAIN.provider("provider"), CHAIN.provider("provider", login=True)
    assert plain is not None
    assert login is not None
    assert plain["experimental_bearer_token"] == "the-token"
    assert "requires_openai_auth" not in plain
    assert (login["requires_openai_auth"], login["http_headers"]) == (True, {LOCAL_TOKEN: "the-token"})
    assert "experimental_bearer_token" not in login, "Codex would send it in place of the login"


def test_the_built_in_provider_brings_the_token_in_the_address() -> None:
    assert CHAIN.top("threads", "kimi")["openai_base_url"] == "http://127.0.0.1:8765/key/the-token/v1"
    assert CHAIN.provider("threads") is None
    assert "the-token" not in repr(CHAIN)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"model_provider": "azure", "model_providers": {"codex_shim": CHAIN.provider("provider")}},
        {"model_provider": "azure", "openai_base_url": CHAIN.url_with_token},
        {"openai_base_url": "https://gateway.example/key/x/v1"},
        {"openai_base_url": "http://127.0.0.1:1234/v1"},
        {"openai_base_url": "http://[marked"},
        {"openai_base_url": 7, "model_provider": 8},
    ],
)
def test_what_leads_elsewhere_is_not_ours(config: dict[str, Any]) -> None:
    assert look(config, CHAIN) is None


OTHER = Chain(url="http://127.0.0.1:28888/v1", token="other", catalog="/other/catalog.json", slugs=[])


@pytest.mark.parametrize(
    ("config", "mine", "wrong"),
    [
        (
            written("provider", chain=OTHER),
            False,
            [
                "`base_url` leads to 127.0.0.1:28888, the chain is at 127.0.0.1:8765",
                "its token is not this home's",
                "its model_catalog_json is not this home's",
            ],
        ),
        (
            {**written("threads"), "openai_base_url": "http://127.0.0.1:28888/key/the-token/v1"},
            True,
            ["`openai_base_url` leads to 127.0.0.1:28888, the chain is at 127.0.0.1:8765"],
        ),
        (
            {**written("threads"), "openai_base_url": "http://127.0.0.1:8765/key/old/v1"},
            True,
            ["its token is not this home's"],
        ),
        ({"openai_base_url": CHAIN.url}, False, ["it brings no token", "it names no model_catalog_json"]),
        (
            {"model_provider": "codex_shim", "model_providers": "x"},
            False,
            [
                "`base_url` leads to nowhere, the chain is at 127.0.0.1:8765",
                "it brings no token",
                "it names no model_catalog_json",
            ],
        ),
    ],
)
def test_d63_what_does_not_fit_the_chain_is_said_and_no_value_is_quoted(
    config: dict[str, Any], mine: bool, wrong: list[str]
) -> None:
    found = look(config, CHAIN)
    assert found is not None
    assert (found.mine, found.wrong) == (mine, wrong)


def test_where_the_chain_would_be_may_be_unknown() -> None:
    """pipeline.toml may be broken; the token and the catalog still tell."""
    unknown = Chain(url="", token="the-token", catalog="/h/catalog.json", slugs=[])
    for way in ("provider", "threads"):
        found = look(written(way), unknown)
        assert found is not None
        assert (found.mine, found.wrong) == (True, [])
    assert look({"openai_base_url": "http://127.0.0.1:8765/v1"}, unknown) is None


def test_a_catalog_file_is_not_missed_where_codex_asks_the_chain_itself() -> None:
    """As docs/subscriptions.md shows it."""
    for table in (CHAIN.provider("provider", login=True), {**(CHAIN.provider("provider") or {}), "model_catalog_url": "x"}):
        found = look({"model_provider": "codex_shim", "model_providers": {"codex_shim": table}}, CHAIN)
        assert found is not None
        assert found.wrong == []


@pytest.mark.parametrize(
    ("key", "value", "ours"),
    [
        ("model", "qwen", True),
        ("model", "gpt-6", False),
        ("model", 7, False),
        ("model_provider", "codex_shim", True),
        ("model_provider", "openai", False),
        ("model_catalog_json", "/h/catalog.json", True),
        ("model_catalog_json", "/another/home/catalog.json", True),
        ("model_catalog_json", "/mine/models.json", False),
        ("model_catalog_json", 7, False),
        ("openai_base_url", "http://127.0.0.1:1/key/whatever/v1", True),
        ("openai_base_url", "https://gateway.example/v1", False),
        ("openai_base_url", ["http://127.0.0.1:1/key/whatever/v1"], False),
    ],
)
def test_values_of_ours_are_known_whatever_has_become_of_our_files(key: str, value: Any, ours: bool) -> None:
    assert CHAIN.is_ours(key, value) is ours


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8765/key/x/v1", True),
        ("http://[::1]:8765/key/x/v1", True),
        ("http://localhost:8765/key/x/v1", True),
        ("http://127.0.0.1:8765/v1", False),
        ("http://127.0.0.1.example/key/x/v1", False),
        ("http://[marked/key/x", False),
        (None, False),
    ],
)
def test_the_path_tells_an_address_of_ours(url: Any, here: bool) -> None:
    assert leads_here(url) is here
