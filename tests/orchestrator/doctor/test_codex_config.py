"""The user's own Codex configuration: read, compared, never quoted where a secret could stand, never written."""

from __future__ import annotations

from pathlib import Path

import pytest
from codex_shim.orchestrator.codex.connection import Chain
from codex_shim.orchestrator.doctor import codex_config
from codex_shim.orchestrator.doctor.check import Check
from codex_shim.stages.contract.headers import LOCAL_TOKEN
from systems import needs_modes

URL = "http://127.0.0.1:8765/v1"
CHAIN = Chain(url=URL, token="the-token", catalog="/h/catalog.json", slugs=["kimi"])
PROVIDER = {"base_url": URL, "experimental_bearer_token": "the-token"}
CONFIG = {
    "model": "kimi",
    "model_provider": "codex_shim",
    "model_catalog_json": "/h/catalog.json",
    "model_providers": {"codex_shim": PROVIDER},
}


def judge(config: dict, *, running: bool = True) -> list[Check]:
    return codex_config.judge(Path("/u/.codex/config.toml"), config, CHAIN, running, "try it")


def provider(**changed: object) -> dict:
    return {**CONFIG, "model_providers": {"codex_shim": {**PROVIDER, **changed}}}


def test_in_sync_is_said_so() -> None:
    (check,) = judge(CONFIG)
    assert (check.status, check.message.partition(" uses ")[2]) == ("OK", "the provider codex_shim, in sync with the running chain")
    (built_in,) = judge({"openai_base_url": CHAIN.url_with_token, "model": "kimi", "model_catalog_json": "/h/catalog.json"})
    assert built_in.status == "OK"


@pytest.mark.parametrize(
    ("config", "remedy"),
    [
        (provider(base_url="http://127.0.0.1:1/v1"), "`codex-shim enable`"),
        (
            provider(experimental_bearer_token=None, http_headers={LOCAL_TOKEN: "old"}, requires_openai_auth=True),
            "`codex-shim enable --keep-login`",
        ),
        ({"openai_base_url": "http://127.0.0.1:1/key/the-token/v1"}, "`codex-shim enable --keep-threads`"),
        ({"openai_base_url": URL}, "`codex-shim enable --keep-threads`"),
    ],
)
def test_the_remedy_keeps_the_way_that_was_chosen(config: dict, remedy: str) -> None:
    check = judge(config)[0]
    assert (check.status, check.remedy) == ("WARN", remedy)


def test_the_token_may_come_in_our_own_header() -> None:
    config = provider(experimental_bearer_token=None, http_headers={LOCAL_TOKEN: "the-token"})
    assert [check.status for check in judge(config)] == ["OK"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (provider(base_url="http://127.0.0.1:28888/v1"), "`base_url` leads to 127.0.0.1:28888, the chain is at 127.0.0.1:8765"),
        (
            provider(base_url="http://me:marked@127.0.0.1:1/marked"),
            "`base_url` leads to 127.0.0.1:1, the chain is at 127.0.0.1:8765",
        ),
        (provider(base_url=7), "`base_url` leads to nowhere, the chain is at 127.0.0.1:8765"),
        (provider(base_url="http://[marked"), "`base_url` leads to what is no URL, the chain is at 127.0.0.1:8765"),
        (provider(experimental_bearer_token="marked"), "its token is not this home's"),
        ({**CONFIG, "model_catalog_json": "/marked"}, "its model_catalog_json is not this home's"),
        ({**CONFIG, "model_providers": "marked"}, "it brings no token"),
    ],
)
def test_d63_each_way_to_be_out_of_sync_is_named_and_no_value_is_quoted(config: dict, words: str) -> None:
    check = judge(config)[0]
    assert (check.status, words in check.details) == ("WARN", True)
    assert "marked" not in repr(check)


def test_a_configuration_for_a_chain_that_is_down_is_a_warning() -> None:
    (check,) = judge(CONFIG, running=False)
    assert (check.status, check.remedy) == ("WARN", "`codex-shim start`, or `codex-shim disable`")


def test_a_model_that_is_not_on_offer_is_a_warning() -> None:
    _, check = judge({**CONFIG, "model": "gone"})
    assert (check.status, check.message) == ("WARN", "its model `gone` is not on offer")


@pytest.mark.parametrize("config", [{}, {"model_provider": "azure"}, {"openai_base_url": "https://gateway.example/v1"}])
def test_one_that_does_not_use_us_is_fine(config: dict) -> None:
    assert [check.status for check in judge(config)] == ["INFO"]


@pytest.mark.parametrize(
    ("content", "place"),
    [(b"model = 'a'\nname = '\xff'\n", "config.toml:2:9: this is not UTF-8"), (b"model = \n", "config.toml:1:9: ")],
)
def test_d73_one_that_is_no_utf_8_or_no_toml_is_a_failure_with_its_place(
    subject, tmp_path: Path, content: bytes, place: str
) -> None:
    folder = tmp_path / "user" / ".codex"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_bytes(content)
    (check,) = codex_config.check(subject())
    assert check.status == "FAIL"
    assert place in check.details[0]


@needs_modes
def test_a_token_that_others_can_read_is_a_warning(subject, tmp_path: Path) -> None:
    folder = tmp_path / "user" / ".codex"
    folder.mkdir(parents=True)
    looked_at = subject()
    token = looked_at.home.local_token()
    (folder / "config.toml").write_text(f'openai_base_url = "http://127.0.0.1:8765/key/{token}/v1"\n')
    (folder / "config.toml").chmod(0o644)
    *_, check = codex_config.check(looked_at)
    assert (check.status, check.remedy) == ("WARN", f"`chmod 600 {folder / 'config.toml'}`")
    (folder / "config.toml").chmod(0o600)
    assert not [check for check in codex_config.check(looked_at) if "local token" in check.message]


def test_codex_home_says_where_it_is(subject, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "config.toml").write_text('model_provider = "codex_shim"\n')
    (check,) = codex_config.check(subject(environ={"CODEX_HOME": str(tmp_path / "elsewhere")}))
    assert check.status == "WARN"
    assert str(tmp_path / "elsewhere" / "config.toml") in check.message
    (none,) = codex_config.check(subject())
    assert (none.status, none.message.endswith("so your own Codex does not use codex-shim")) == ("INFO", True)
