"""The chain in front of LiteLLM's proxy, an upstream that nobody here wrote, in each of the languages it speaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import codex_session
import litellm_proxy
import pytest
from litellm_proxy import TEXT, LiteLLM
from pip_programs import LITELLM
from responses_client import ask, ask_all, error_of, text_of
from running_chain import RunningChain, bare_environment, write_files

# Language → the provider of its rows, and what its API's address ends in.
LANGUAGES = {"chat": ("openai", "/v1"), "messages": ("anthropic", "/v1"), "gemini": ("gemini", "/v1beta")}
MODELS = ("mocked", "through", "limited", "overflowing", "broken", "unheard-of")

each_language = pytest.mark.parametrize("language", list(LANGUAGES))


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteLLM]:
    launcher = LITELLM.ensure()
    running = LiteLLM(launcher, tmp_path_factory.mktemp("peers") / "litellm")
    try:
        running.start()
        yield running
    finally:
        running.stop()


def row(proxy: LiteLLM, language: str, model: str, slug: str, key: str) -> dict[str, Any]:
    provider, path = LANGUAGES[language]
    return {"slug": slug, "model": model, "provider": provider, "base_url": proxy.url + path, "api_key": key}


@pytest.fixture(scope="module")
def chain(proxy: LiteLLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    rows = [row(proxy, language, model, f"{language}-{model}", litellm_proxy.KEY) for language in LANGUAGES for model in MODELS]
    rows += [row(proxy, language, "mocked", f"{language}-locked-out", "wrong") for language in LANGUAGES]
    folder = tmp_path_factory.mktemp("chain")
    pipeline = write_files(folder / "shim", rows, None)
    running = RunningChain(folder / "shim", bare_environment(folder / "user"), pipeline)
    running.up()
    yield running
    running.down()


@each_language
@pytest.mark.parametrize("model", ["mocked", "through"])
def test_text_streams_to_its_end_with_a_whole_usage(chain: RunningChain, language: str, model: str) -> None:
    events = ask_all(chain, model=f"{language}-{model}")
    assert text_of(events) == TEXT
    response = events[-1]["response"]
    assert (events[-1]["type"], response["status"], response["model"]) == ("response.completed", "completed", f"{language}-{model}")
    usage = response["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_tokens"] or language == "gemini", "its Gemini surface counts nothing"
    assert {"cached_tokens"} <= usage["input_tokens_details"].keys()
    assert {"reasoning_tokens"} <= usage["output_tokens_details"].keys()


@each_language
def test_a_client_that_does_not_stream_gets_one_object(chain: RunningChain, language: str) -> None:
    with ask(chain, model=f"{language}-mocked", stream=False, codex=False) as answer:
        response = answer.json()
    assert (answer.status, response["status"]) == (200, "completed")
    assert response["output"][0]["content"][0]["text"] == TEXT


@each_language
@pytest.mark.parametrize("model", ["mocked", "through"])
def test_codex_tools_and_a_history_with_calls_are_accepted(chain: RunningChain, language: str, model: str) -> None:
    """Commands, patches, an MCP tool, pictures, later instructions: the last request of a long session."""
    assert text_of(ask_all(chain, **codex_session.last_request(f"{language}-{model}"))) == TEXT


@each_language
def test_an_unknown_model_is_told_in_the_words_of_the_provider(chain: RunningChain, language: str) -> None:
    error = error_of(ask_all(chain, model=f"{language}-unheard-of"))
    assert "unheard-of" in error["message"]
    assert "Invalid model name" in error["message"]
    assert error["code"] in ("invalid_prompt", "model_not_found"), "asking again would not help"


@each_language
def test_a_wrong_key_is_told_in_the_words_of_the_provider(chain: RunningChain, language: str) -> None:
    error = error_of(ask_all(chain, model=f"{language}-locked-out"))
    assert "db" in error["message"], "without a database, that is what it says of keys it does not know"
    assert error["code"] == "invalid_prompt"


@each_language
def test_errors_have_the_codes_by_which_codex_does_the_right_thing(chain: RunningChain, language: str) -> None:
    for model, code, words in (
        ("limited", "rate_limit_exceeded", "mock rate limit error"),
        ("overflowing", "context_length_exceeded", "context window"),
        ("broken", "server_error", "mock internal server error"),
    ):
        error = error_of(ask_all(chain, model=f"{language}-{model}"))
        assert (error["code"], words in error["message"]) == (code, True), error
