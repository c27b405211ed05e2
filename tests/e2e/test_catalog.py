"""What Codex makes of the catalog we write, and which model a slug leads to."""

from __future__ import annotations

import json
import re

import marked
import pytest
from chat_answers import says
from codex_cli import Codex
from codex_shim.orchestrator.codex import catalog
from codex_shim.orchestrator.codex.efforts import WORDS, Levels, levels
from codex_shim.orchestrator.settings.models import parse
from codex_shim.orchestrator.settings.slugs import slugify
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream
from systems import needs_modes


def test_codex_lists_exactly_our_models_in_our_order(codex: Codex) -> None:
    shown = codex.models()
    assert [(model["slug"], model["display_name"]) for model in shown] == [
        ("large", "Large"),
        ("blind", "Blind"),
        ("another", "Another"),
    ]
    assert [model["context_window"] for model in shown] == [200_000, 128_000, 128_000]
    assert [model["input_modalities"] for model in shown] == [["text", "image"], ["text"], ["text", "image"]]


def test_codex_takes_every_kind_of_reasoning_level(bare_codex: Codex) -> None:
    """None at all, a mere switch, and words that it has no picture for."""
    path = bare_codex.home / "catalog.json"
    kinds = [Levels((), None), Levels(("none", "medium"), "medium"), Levels(tuple(WORDS), "xhigh")]
    models = [catalog.entry(f"m{place}", "M", "", 1000, False, place, "p", levels) for place, levels in enumerate(kinds)]
    path.write_text(json.dumps({"models": models}))
    bare_codex.configure(f"model_catalog_json = {json.dumps(str(path))}\n")
    with bare_codex.app_server() as server:
        shown = server.ask("model/list")["data"]
    efforts = [[each["reasoningEffort"] for each in model["supportedReasoningEfforts"]] for model in shown]
    assert efforts == [[], ["none", "medium"], list(WORDS)]
    assert [model["defaultReasoningEffort"] for model in shown] == ["none", "medium", "xhigh"]


def test_d57_the_base_instructions_are_the_installed_clis_own(codex: Codex, upstream: ScriptedUpstream) -> None:
    bundled = {model["base_instructions"] for model in codex.models("--bundled")}
    ours = {model["base_instructions"] for model in codex.models()}
    assert len(ours) == 1
    assert ours <= bundled
    upstream.script(says("ok"))
    codex.exec("hi")
    assert upstream.requests[0].messages[0]["content"].startswith(ours.pop()[:200])


def test_a_native_row_offers_no_less_than_codex_itself_knows_of_that_model(bare_codex: Codex) -> None:
    """But for `ultra`, which Codex sends as another word, and only to its own service."""
    rows = [{"model": known["slug"], "provider": "openai-responses", "api_key": "k"} for known in bare_codex.models("--bundled")]
    ours = {row.slug: set(levels(row).efforts) for row in parse(json.dumps(rows), "models.json", {}, lambda command: "").rows}
    for known in bare_codex.models("--bundled"):
        if re.match(r"gpt-\d", known["slug"]):
            efforts = {each["effort"] for each in known["supported_reasoning_levels"]} - {"ultra"}
            assert efforts == ours[slugify(known["slug"])] - {"none"}, known["slug"]


@pytest.mark.parametrize(("slug", "model"), [("another", "vendor/another"), ("blind", "vendor/blind")])
def test_a_chosen_model_is_the_one_that_is_asked(codex: Codex, upstream: ScriptedUpstream, slug: str, model: str) -> None:
    upstream.script(says("ok"))
    turn = codex.exec("hi", "-m", slug)
    assert (turn.code, turn.text) == (0, "ok")
    assert upstream.requests[0].body["model"] == model


@pytest.mark.parametrize("slug", ["codex-auto-review", "gpt-6.1-terra"])
def test_a_slug_codex_asks_for_on_its_own_account_goes_to_the_default(codex: Codex, upstream: ScriptedUpstream, slug: str) -> None:
    upstream.script(says("fine"))
    turn = codex.exec("review this", "-m", slug)
    assert (turn.code, turn.text) == (0, "fine")
    assert upstream.requests[0].body["model"] == "vendor/large"


def test_an_unknown_slug_is_told_once_with_the_nearest_one(codex: Codex, upstream: ScriptedUpstream) -> None:
    turn = codex.exec("hi", "-m", "larg")
    assert turn.code == 1
    assert turn.failure == "no model named `larg` is configured; did you mean `large`?"
    assert turn.reconnects == []
    assert upstream.requests == []


@needs_modes
def test_the_written_files_are_private_and_name_the_chain(chain: RunningChain) -> None:
    config = chain.home / "codex-home" / "config.toml"
    assert [path.stat().st_mode & 0o777 for path in (config, chain.home / "token")] == [0o600, 0o600]
    assert json.dumps(chain.url) in config.read_text()
    marked.refuse(config.read_text() + (chain.home / "custom_model_catalog.json").read_text(), "what Codex reads")
