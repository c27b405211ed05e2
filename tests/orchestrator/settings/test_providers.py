from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from codex_shim.orchestrator.settings import base_url, models, provider_file
from codex_shim.orchestrator.settings.problems import ConfigError
from codex_shim.orchestrator.settings.providers import PACKAGED, ProviderTable, lay_over, packaged, packaged_tables
from codex_shim.stages.egress_http.config import Quirks

OWN_URL = [name for name, preset in packaged().items() if preset.base_url]
PROMISED = {
    *("openai", "anthropic", "gemini", "deepseek", "openrouter", "moonshot", "zai", "minimax", "qwen", "xai", "mistral", "groq"),
    *("cerebras", "ollama", "lmstudio", "vllm", "llamacpp", "azure"),
}


def row(**keys: object) -> models.ModelRow:
    found = models.parse(json.dumps([keys]), "models.json", {}, lambda command: "")
    assert found.problems == []
    return found.rows[0]


@pytest.mark.parametrize("name", OWN_URL)
def test_a_preset_can_be_used_as_it_stands(name: str) -> None:
    preset = packaged()[name]
    assert preset.base_url
    assert base_url.read(preset.base_url) == preset.base_url
    assert base_url.is_local(preset.base_url) != bool(preset.key_env)


@pytest.mark.parametrize("name", packaged_tables())
def test_the_packaged_file_keeps_its_own_rules(name: str) -> None:
    assert name == name.lower()
    msgspec.convert(packaged_tables()[name], ProviderTable)
    preset = packaged()[name]
    assert preset.dialect
    for model in ("", *(pattern for table in preset.models for pattern in _patterns(table))):
        msgspec.convert(preset.facts(model.replace("*", "x")).quirks, Quirks)


def _patterns(table: dict) -> list[str]:
    return table["match"] if isinstance(table["match"], list) else [table["match"]]


def test_the_promised_providers_are_there() -> None:
    assert set(packaged()) >= PROMISED


def test_the_user_s_reader_takes_the_packaged_file() -> None:
    assert provider_file.parse(PACKAGED.read_text(), "providers.toml")


def test_cursor_s_key_is_nobody_s_default() -> None:
    assert "CURSOR_API_KEY" not in {preset.key_env for preset in packaged().values()}


def test_a_provider_and_a_key_are_a_complete_row() -> None:
    it = row(model="deepseek-v4-pro", provider="deepseek", api_key="sk-1")
    assert (it.base_url, it.dialect, it.max_context, it.images) == ("https://api.deepseek.com/v1", "chat", 128_000, False)
    assert (it.owner, it.quirks.reasoning_back, it.quirks.reasoning_lost) == ("deepseek", "always", " ")


@pytest.mark.parametrize(
    ("provider", "model", "quirk", "value"),
    [
        ("deepseek", "deepseek-r1-0528", "reasoning_back", "never"),
        ("moonshot", "Kimi-K3", "efforts", {"none": "low", "minimal": "low", "medium": "high", "xhigh": "max"}),
        ("moonshot", "kimi-k2.7", "thinking_fields", {"keep": "all"}),
        ("moonshot", "kimi-k2-thinking", "thinking", "drop"),
        ("zai", "glm-4.7", "thinking", "thinking"),
        ("zai", "glm-5.3", "thinking", "drop"),
        ("xai", "grok-4", "effort", "drop"),
        ("xai", "grok-4.3", "effort", "reasoning_effort"),
        ("groq", "llama-3.3-70b", "effort", "drop"),
        ("groq", "openai/gpt-oss-120b", "effort", "reasoning_effort"),
        ("zai-coding", "glm-4.7", "extra_body", {"tool_stream": True}),
    ],
)
def test_what_is_true_of_some_models_only_goes_by_their_names(provider: str, model: str, quirk: str, value: object) -> None:
    assert getattr(row(model=model, provider=provider, api_key="k").quirks, quirk) == value


def test_a_language_at_a_known_address_is_that_provider() -> None:
    it = row(model="deepseek-v4", provider="openai", base_url="https://api.deepseek.com/v1", api_key="k")
    assert (it.owner, it.quirks.thinking) == ("deepseek", "thinking")
    it = row(model="gpt-6", provider="openai", base_url="https://api.openai.com/v1", api_key="k")
    assert (it.owner, it.quirks.max_tokens_field) == ("openai-chat", "max_completion_tokens")
    it = row(model="m", provider="openai", base_url="https://me.openai.azure.com/openai/v1", api_key="k")
    assert (it.owner, it.key_header) == ("azure", "api-key")


def test_a_language_at_an_unknown_address_is_the_plain_server() -> None:
    it = row(model="m", provider="openai", base_url="https://llm.example.com/v1", api_key="k")
    assert (it.owner, it.quirks) == ("llm.example.com", Quirks())
    it = row(model="zai/kimi-k3", provider="openai", base_url="https://llm.example.com/v1", api_key="k")
    assert it.quirks.reasoning_lost == " "


def test_the_row_has_the_last_word() -> None:
    it = row(model="kimi-k3", provider="moonshot", api_key="k", quirks={"efforts": {"none": "none"}, "strict": "send"})
    assert it.quirks.efforts["none"] == "none"
    assert it.quirks.efforts["xhigh"] == "max"
    assert (it.quirks.strict, it.quirks.parallel_tool_calls) == ("send", "drop")


def test_a_wrong_quirk_in_a_row_is_named() -> None:
    found = models.parse('[{"model": "m", "provider": "ollama", "quirks": {"strikt": "no"}}]', "models.json", {}, lambda _: "")
    assert found.rows == []
    assert "unknown key `strikt`" in str(found.problems[0])
    assert "did you mean `strict`?" in str(found.problems[0])


OWN = """
[gateway]
like = "deepseek"
base_url = "https://llm.example.com/v1"
key_env = "GATEWAY_KEY"
models = [{ match = "small-*", images = true, context = 5 }]

[deepseek]
context = 7
quirks = { strict = "send" }
"""


def test_a_file_of_one_s_own_adds_and_changes_providers() -> None:
    presets = provider_file.parse(OWN, "providers.toml")
    gateway, deepseek = presets["gateway"], presets["deepseek"]
    assert (deepseek.context, deepseek.quirks["strict"], deepseek.quirks["thinking"]) == (7, "send", "thinking")
    assert (gateway.dialect, gateway.context, gateway.key_env) == ("chat", 7, "GATEWAY_KEY")
    assert (gateway.facts("small-1").images, gateway.facts("small-1").context, gateway.facts("big").images) == (True, 5, False)
    assert packaged()["deepseek"].context == 128_000


def test_a_usual_variable_does_not_follow_the_address_to_another_host() -> None:
    text = "[a]\nlike = 'deepseek'\nbase_url = 'https://llm.example.com/v1'\n[groq]\nbase_url = 'https://llm.example.com/v1'"
    presets = provider_file.parse(text, "providers.toml")
    assert (presets["a"].key_env, presets["groq"].key_env) == (None, None)
    assert presets["zai-coding"].key_env == "ZAI_API_KEY"


def test_without_a_file_the_packaged_providers_count(tmp_path: Path) -> None:
    assert provider_file.load(tmp_path / "providers.toml") == packaged()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[x]\nbase_url = 'https://a.b/v1'", "p.toml:1:1: [x] has no `dialect`"),
        ("[x]\ndialect = 'soap'", 'p.toml:2:11: `dialect` in [x] must be "chat" or "messages"'),
        ("[x]\nlike = 'deepsek'", "p.toml:2:8: `like` in [x] names no other provider; did you mean `deepseek`?"),
        ("[x]\nlike = 'x'", "names no other provider"),
        ("[ollama]\nbase_url = 'http://example.com'", "p.toml:2:12: `base_url` in [ollama] is plain http"),
        ("[ollama]\nkey_env = 'sk-1-2'", "must be the name of a variable"),
        ("[ollama]\nkey_header = 'a b'", "must be the name of a header"),
        ("[ollama]\nquirks = { strict = 1 }", 'p.toml:2:21: `strict` in `quirks` in [ollama] must be "send"'),
        ("[ollama]\nmodels = [{ images = true }]", "has no `match`"),
        ("[ollama]\ncontext = 0", "must be more than 0"),
        ("ollama = 5", "`ollama` must be a table"),
        ("[Ollama]\nlike = 'vllm'", "lowercase letters"),
        ("[", "this is not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        provider_file.parse(text, "p.toml")
    assert problem in str(caught.value)


def test_tables_lie_over_each_other() -> None:
    below = {"a": 1, "t": {"x": 1, "y": 2}, "models": [1]}
    assert lay_over(below, {"t": {"y": 3}, "models": [2]}) == {"a": 1, "t": {"x": 1, "y": 3}, "models": [1, 2]}
    assert below["t"] == {"x": 1, "y": 2}
