"""Every file under fixtures/models/bad says exactly what stands in the .expected beside it; the good rows are read here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator.settings import models
from codex_shim.orchestrator.settings.model_key import KeyCommandError
from codex_shim.orchestrator.settings.models import ModelRow, Models
from codex_shim.orchestrator.settings.problems import ConfigError
from codex_shim.stages.contract.secret import Secret
from systems import needs_posix

BAD = sorted((Path(__file__).parents[2] / "fixtures" / "models" / "bad").glob("*.json"))
ENVIRON = {"OPENAI_API_KEY": "sk-SECRET", "GROQ_API_KEY": "sk-SECRET", "CURSOR_API_KEY": "sk-SECRET"}


def run_command(command: str | list[str]) -> str:
    if "prints-nothing" in command:
        return "\n"
    raise KeyCommandError("failed with exit code 1")


def parse(rows: Any, environ: dict[str, str] | None = None, command: Any = run_command) -> Models:
    return models.parse(json.dumps(rows), "models.json", environ or {}, command)


def one(**keys: Any) -> ModelRow:
    found = parse([{"model": "m", "provider": "ollama", **keys}], {"MY_KEY": "sk-1", "TEAM": "blue"})
    assert not found.problems
    return found.rows[0]


def said(file: Path) -> list[str]:
    try:
        problems = models.parse(file.read_text(), str(file), ENVIRON, run_command).problems
    except ConfigError as error:
        problems = error.problems
        assert "SECRET" not in f"{error!r}{error.__cause__!r}{error.__context__!r}"
    return [str(problem).replace(f"{file}:", "") for problem in problems]


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_says_all_that_is_wrong(file: Path) -> None:
    assert said(file) == file.with_suffix(".expected").read_text().splitlines()


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_never_says_a_credential(file: Path) -> None:
    assert "SECRET" not in "".join(said(file))
    assert "12345" not in "".join(said(file))


def test_no_file_is_no_models(tmp_path: Path) -> None:
    assert models.load(tmp_path / "models.json", {}) == Models([], [])


@needs_posix
def test_a_broken_link_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "models.json").symlink_to("nowhere.json")
    with pytest.raises(ConfigError, match="cannot read this file: no such file"):
        models.load(tmp_path / "models.json", {})


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read this file: is a directory"):
        models.load(tmp_path, {})


@pytest.mark.parametrize("key", ["models", "customModels", "launchModels", "launch_models"])
def test_the_list_may_have_any_of_its_names(key: str) -> None:
    found = parse({key: ["llama3"], "theme": "dark"} if key != "models" else {key: ["llama3"]})
    assert [row.slug for row in found.rows] == ["llama3"]
    assert found.problems == []


def test_a_bare_string_is_a_local_ollama_model() -> None:
    row = parse(["qwen3:8b"]).rows[0]
    assert (row.slug, row.model, row.display_name, row.provider, row.dialect) == (
        "qwen3-8b",
        "qwen3:8b",
        "qwen3:8b",
        "ollama",
        "chat",
    )
    assert (row.base_url, row.api_key, row.key_source) == ("http://127.0.0.1:11434/v1", None, "none")


def test_every_key() -> None:
    row = one(
        provider="OpenAI",
        slug="My Model",
        display_name="Mine",
        base_url="https://llm.example.com/v1/",
        api_key="sk-1",
        max_context_limit=1000,
        max_output_tokens=100,
        no_image_support=True,
        extra_headers={"X-Team": "${TEAM}"},
        index=3,
    )
    assert row == ModelRow(
        slug="my-model",
        model="m",
        display_name="Mine",
        provider="OpenAI",
        dialect="chat",
        base_url="https://llm.example.com/v1",
        api_key=Secret("sk-1"),
        headers={"X-Team": "blue"},
        max_context=1000,
        max_output_tokens=100,
        images=False,
        index=3,
        key_source="api_key in models.json",
        owner="llm.example.com",
    )


ALIASES = {
    "displayName": ("display_name", "Mine"),
    "name": ("display_name", "Mine"),
    "baseUrl": ("base_url", "http://127.0.0.1:1/v1"),
    "baseURL": ("base_url", "http://127.0.0.1:1/v1"),
    "apiKey": ("api_key", "sk-1"),
    "bearerToken": ("api_key", "sk-1"),
    "apiKeyEnv": ("api_key_env", "MY_KEY"),
    "maxContextLimit": ("max_context_limit", 7),
    "maxOutputTokens": ("max_output_tokens", 7),
    "noImageSupport": ("no_image_support", True),
    "extraHeaders": ("extra_headers", {"X-Team": "blue"}),
}


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases_mean_the_same(alias: str) -> None:
    canonical, value = ALIASES[alias]
    assert one(**{alias: value}) == one(**{canonical: value})
    assert one(**{alias: value, canonical: value}) == one(**{canonical: value})


def test_null_and_foreign_numbering_mean_nothing() -> None:
    assert one(api_key=None, index=None, id="custom:m-0") == one()


def test_presets_bring_what_the_row_does_not_say() -> None:
    row = one(provider="deepseek", api_key="sk-1")
    assert (row.base_url, row.max_context, row.images) == ("https://api.deepseek.com/v1", 128_000, False)
    own = one(provider="deepseek", api_key="sk-1", max_context_limit=5, no_image_support=False, base_url="https://a.example/v1")
    assert (own.base_url, own.max_context, own.images) == ("https://a.example/v1", 5, True)


def test_placeholders_in_any_value() -> None:
    row = one(model="${TEAM}-large", display_name="of ${TEAM}", base_url="http://127.0.0.1:1/${TEAM}", api_key="${MY_KEY}")
    assert (row.model, row.display_name, row.base_url) == ("blue-large", "of blue", "http://127.0.0.1:1/blue")
    assert (row.api_key, row.key_source) == (Secret("sk-1"), "api_key ${MY_KEY}")


def test_order_is_the_file_s_but_for_an_index() -> None:
    rows = ["a", {"model": "b", "provider": "ollama", "index": 9}, "c", {"model": "d", "provider": "ollama", "index": -1}]
    assert [row.slug for row in parse(rows).rows] == ["d", "a", "c", "b"]


def test_one_bad_row_does_not_stop_the_others() -> None:
    found = parse(["a", {"model": "b", "provider": "nobody"}, "c"])
    assert [row.slug for row in found.rows] == ["a", "c"]
    assert len(found.problems) == 1


def test_a_missing_key_renames_no_other_model() -> None:
    rows = [{"model": "m", "provider": "groq"}, {"model": "m", "name": "Local M", "provider": "ollama"}]
    assert [row.slug for row in parse(rows).rows] == ["local-m"]
    assert [row.slug for row in parse(rows, {"GROQ_API_KEY": "k"}).rows] == ["m", "local-m"]


def test_rows_that_share_a_key_command_run_it_once() -> None:
    asked = []

    def answer(command: str) -> str:
        asked.append(command)
        return "sk-1\n"

    row = {"provider": "groq", "api_key_command": "print-key"}
    found = parse([{"model": "a", **row}, {"model": "b", **row}], {}, answer)
    assert [(row.api_key, row.key_source) for row in found.rows] == [(Secret("sk-1"), "api_key_command")] * 2
    assert asked == ["print-key"]


def test_a_row_shows_no_credential() -> None:
    row = one(api_key="sk-SECRET", extra_headers={"X-Key": "sk-SECRET"})
    assert "SECRET" not in f"{row!r} {row} {row.headers} {row.api_key} {Models([row])}"
    assert "X-Key" in repr(row)


def test_nesting_without_end_is_a_problem_not_a_crash() -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        models.parse("[" * 100_000, "models.json", {}, run_command)
