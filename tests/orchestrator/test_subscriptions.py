"""Which slugs the subscriptions add, and that a model of the user's own always wins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator.codex import catalog
from codex_shim.orchestrator.codex.cli import Prompt
from codex_shim.orchestrator.codex.known_models import FALLBACK, KnownModel
from codex_shim.orchestrator.codex.known_models import read as known_models
from codex_shim.orchestrator.logins.state import LoginState
from codex_shim.orchestrator.offering import Offering, prepare
from codex_shim.orchestrator.sources import Options, read_files
from codex_shim.orchestrator.subscriptions import NONE, ChatGpt, Cursor, Offered, Subscriptions, listed, offered
from codex_shim.stages.contract.advertised import Advertised
from codex_shim.stages.router.config import BACKGROUND_SLUGS
from msgspec import Raw

BOTH = Subscriptions(chatgpt=ChatGpt(auth_file="/a"), cursor=Cursor(binary="/b", folder="/f"))
KNOWN = [KnownModel(slug="gpt-5.5", name="GPT-5.5"), KnownModel(slug="codex-auto-review", name="Review", listed=False)]
USABLE = Advertised(chatgpt_passthrough=True, cursor_passthrough=True)
IN, OUT = LoginState(usable=True, reason="in"), LoginState(usable=False, reason="out")


def find(models: list[Offered], slug: str) -> Offered:
    (found,) = [model for model in models if model.slug == slug]
    return found


def make(own: list[str], subscriptions: Subscriptions = BOTH, known: list[KnownModel] = KNOWN) -> list[Offered]:
    return offered(subscriptions, known, own, BACKGROUND_SLUGS)


def test_chatgpts_come_before_cursors_and_aliases_are_hidden() -> None:
    models = make([])
    assert [model.slug for model in models if not model.hidden] == ["gpt-5.5", "composer-2-5", "composer-2-5-fast"]
    hidden = {model.slug: model.target for model in models if model.hidden}
    assert hidden == {
        "openai-gpt-5-5": "gpt-5.5",
        "codex-auto-review": "codex-auto-review",
        "openai-codex-auto-review": "codex-auto-review",
        "composer-2.5": "composer-2-5",
        "composer-2.5-fast": "composer-2-5-fast",
    }


@pytest.mark.parametrize(
    ("offer", "own", "slugs"),
    [
        (Advertised(), [], ["demo"]),
        (Advertised(), ["kimi"], ["kimi"]),
        (Advertised(chatgpt_passthrough=True), [], ["gpt-5.5"]),
        (Advertised(cursor_passthrough=True), ["kimi"], ["kimi", "composer-2-5", "composer-2-5-fast"]),
        (USABLE, ["kimi"], ["kimi", "gpt-5.5", "composer-2-5", "composer-2-5-fast"]),
    ],
)
def test_d55_what_is_listed_follows_the_logins(offer: Advertised, own: list[str], slugs: list[str]) -> None:
    assert listed(make(own), own, offer) == slugs


def test_d53_a_model_of_the_users_own_wins_however_its_name_is_spelt() -> None:
    models = make(["gpt-5-5"])
    taken = find(models, "gpt-5.5")
    assert (taken.subscription, taken.target, taken.hidden) == (None, "gpt-5-5", True)
    assert find(models, "openai-gpt-5-5").subscription == "chatgpt", "the subscription's stays reachable"
    assert listed(models, ["gpt-5-5"], USABLE) == ["gpt-5-5", "composer-2-5", "composer-2-5-fast"]


@pytest.mark.parametrize("own", ["gpt-5.5", "openai-gpt-5-5", "composer-2-5", "codex-auto-review"])
def test_d53_no_slug_of_models_json_is_taken_away(own: str) -> None:
    assert own not in {model.slug for model in make([own])}


def test_d53_with_models_of_the_users_own_background_slugs_are_left_to_the_router() -> None:
    known = [*KNOWN, KnownModel(slug="gpt-6.1-terra", name="Terra")]
    slugs = {model.slug for model in make(["kimi"], known=known)}
    assert not slugs & set(BACKGROUND_SLUGS)
    assert "openai-gpt-6-1-terra" in slugs
    assert set(BACKGROUND_SLUGS) <= {model.slug for model in make([], known=known)}


def test_a_subscription_without_a_worker_adds_nothing() -> None:
    assert make([], NONE) == []
    assert {model.subscription for model in make([], Subscriptions(cursor=BOTH.cursor))} == {"cursor"}


# -- the entries that Codex reads -------------------------------------------------------------------------------------


def entries(models: list[Offered], known: list[KnownModel], first_priority: int) -> list[dict[str, Any]]:
    return [json.loads(each) for each in catalog.subscription_entries(models, known, "short", first_priority)]


def test_codexs_own_entries_are_kept_whole_but_for_what_would_hide_them_or_lead_past_us() -> None:
    own = {
        "slug": "gpt-5.5",
        "priority": 13,
        "supported_in_api": False,
        "prefer_websockets": True,
        "upgrade": {"model": "gpt-9", "migration_markdown": "…"},
        "base_instructions": "You are Codex.",
        "unknown_field": [1],
    }
    known = [KnownModel(slug="gpt-5.5", name="GPT-5.5", entry=Raw(json.dumps(own).encode()))]
    (made, *_) = entries(make(["kimi"], known=known), known, 1)
    changed = {"priority": 1, "visibility": "list", "supported_in_api": True, "prefer_websockets": False, "upgrade": None}
    assert made == {**own, **changed}


def test_an_upgrade_to_a_model_that_is_here_stays() -> None:
    own = [{"slug": "gpt-5.5", "upgrade": {"model": "gpt-6"}}, {"slug": "gpt-6", "upgrade": None}]
    known = [KnownModel(slug=each["slug"], name="x", entry=Raw(json.dumps(each).encode())) for each in own]
    made = entries(make([], known=known), known, 0)
    assert made[0]["upgrade"] == {"model": "gpt-6"}


def test_cursors_entries_say_what_composer_can() -> None:
    (made, fast) = entries(make([], Subscriptions(cursor=BOTH.cursor)), [], 3)
    assert (made["slug"], made["priority"], fast["slug"], fast["priority"]) == ("composer-2-5", 3, "composer-2-5-fast", 4)
    assert (made["context_window"], made["auto_compact_token_limit"]) == (272_000, 217_600)
    assert (made["input_modalities"], made["apply_patch_tool_type"]) == (["text"], "freeform")


# -- from the files ---------------------------------------------------------------------------------------------------


def offering(folder: Path, models: list[object] | None = None, **environ: str) -> Offering:
    (folder / "shim").mkdir(exist_ok=True)
    (folder / "shim" / "models.json").write_text(json.dumps(models or []))
    values = {"HOME": str(folder), "PATH": "", **environ}
    sources = read_files(Options(home=folder / "shim", settings=folder / "shim" / "models.json"), values)
    return prepare(sources, Prompt("short", "a test"), values)[0]


def test_the_users_own_codex_says_which_models_there_are(tmp_path: Path) -> None:
    assert [model.slug for model in offering(tmp_path).offered if model.slug in FALLBACK] == list(FALLBACK)
    (tmp_path / "other").mkdir()
    content = {"models": [{"slug": "gpt-9", "visibility": "list"}]}
    (tmp_path / "other" / "models_cache.json").write_text(json.dumps(content))
    assert offering(tmp_path, CODEX_HOME=str(tmp_path / "other")).choosable == ["gpt-9", "openai-gpt-9"]


def test_switches_turn_them_off(tmp_path: Path) -> None:
    assert offering(tmp_path, CODEX_SHIM_DISABLE_CHATGPT="1").offered == []


def test_what_is_advertised_counts_what_is_listed(tmp_path: Path) -> None:
    row = {"model": "m", "provider": "openai", "base_url": "http://127.0.0.1:9/v1"}
    it = offering(tmp_path, [row])
    shown = len(known_models(b"", b"")) - 1
    assert it.advertised({"chatgpt": IN, "cursor": OUT}) == Advertised(models=1 + shown, chatgpt_passthrough=True)
    assert it.advertised({"chatgpt": OUT, "cursor": OUT}) == Advertised(models=1)
