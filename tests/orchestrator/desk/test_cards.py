"""What the picker shows of each model, from what the chain knows."""

from __future__ import annotations

import json
from typing import Any

from codex_shim.orchestrator import egress
from codex_shim.orchestrator.codex import catalog
from codex_shim.orchestrator.desk import cards
from codex_shim.orchestrator.logins.state import LoginState
from codex_shim.orchestrator.running.status import StageStatus, State
from codex_shim.orchestrator.settings import models
from codex_shim.orchestrator.subscriptions import Offered

ROWS = models.parse(
    json.dumps(
        [
            {"model": "deepseek-chat", "provider": "deepseek", "api_key": "k", "display_name": "Chat"},
            {"model": "vendor/blind", "provider": "openrouter", "api_key": "k", "slug": "blind", "no_image_support": True},
        ]
    ),
    "models.json",
    {},
    lambda command: "",
).rows
WORKERS = egress.derive(ROWS, [])
OFFERED = [
    Offered(slug="gpt-5.5", target="gpt-5.5", name="GPT", subscription="chatgpt"),
    Offered(slug="openai-gpt-5-5", target="gpt-5.5", name="GPT", subscription="chatgpt", hidden=True),
]
THEIRS = [{"slug": "gpt-5.5", "display_name": "GPT-5.5", "context_window": 272_000, "input_modalities": ["text", "image"]}]
USABLE, GONE = LoginState(usable=True, reason="it is logged in"), LoginState(usable=False, reason="run `codex login`")


def facts(rows: Any = ROWS) -> dict[str, cards.Facts]:
    more = json.dumps({"models": [*THEIRS, {"slug": "odd", "context_window": "many"}]}).encode()
    return cards.gather(rows, WORKERS if rows else [], OFFERED, catalog.entries(rows, "prompt"), more)


def shown(slugs: list[str], active: str | None = None, login: LoginState = USABLE, **states: State) -> dict[str, Any]:
    stages = {name: StageStatus(name=name, kind="module", address="", state=state) for name, state in states.items()}
    return {card["slug"]: card for card in cards.cards(slugs, facts(), active, stages, {"chatgpt": login})}


def test_a_card_says_what_a_model_can_do_and_who_serves_it() -> None:
    assert shown(["deepseek-chat"], "deepseek-chat", deepseek="ready")["deepseek-chat"] == {
        "slug": "deepseek-chat",
        "display_name": "Chat",
        "provider": "deepseek",
        "active": True,
        "model": "deepseek-chat",
        "context": 128_000,
        "images": False,
        "efforts": ["none", "low", "high", "max"],
        "effort": "high",
        "tools": True,
        "egress": "deepseek",
        "health": {"state": "ready", "usable": True, "reason": None},
    }
    blind = shown(["blind"], openrouter="asleep")["blind"]
    assert (blind["model"], blind["images"], blind["active"], blind["health"]["state"]) == ("vendor/blind", False, False, "asleep")


def test_health_is_the_workers_and_the_logins() -> None:
    def health(slug: str, login: LoginState = USABLE, **states: State) -> tuple[bool, str]:
        told = shown([slug], login=login, **states)[slug]["health"]
        return told["usable"], told["reason"] or ""

    assert health("gpt-5.5", chatgpt="asleep") == (True, "")
    assert health("gpt-5.5", GONE, chatgpt="ready") == (False, "run `codex login`")
    assert health("blind", openrouter="starting") == (
        False,
        "its worker openrouter is starting; a request that comes now has to wait",
    )
    failed = "its worker openrouter has failed; `codex-shim pipeline logs openrouter` says why"
    assert health("blind", openrouter="failed") == (False, failed)


def test_the_active_model_is_shown_though_its_login_is_gone() -> None:
    assert list(shown(["blind"], "gpt-5.5", GONE)) == ["blind", "gpt-5.5"]
    assert list(shown(["blind"], "somebody-elses")) == ["blind"]
    assert list(shown(["blind", "gpt-5.5"], "gpt-5.5")) == ["blind", "gpt-5.5"]


def test_hidden_names_and_entries_that_nobody_understands_are_left_out() -> None:
    assert list(facts()) == ["deepseek-chat", "blind", "gpt-5.5"]


def test_the_demo_has_a_card_where_there_is_no_other_model() -> None:
    demo = facts([])["demo"]
    assert (demo.egress, demo.provider, demo.entry.display_name) == ("demo", "codex-shim", "Demo (offline)")
