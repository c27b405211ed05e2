"""What never leaves a probe."""

from __future__ import annotations

import marked
import pytest
from codex_shim.stages.contract.secret import REDACTED
from codex_shim.stages.probe import mask


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "set-cookie",
        "x-codex-shim-user",
        "x-codex-shim-token",
        "X-Api-Key",
        "api-key",
        "x-goog-api-key",
        "openai-api-secret",
        "x-amz-security-token",
        "chatgpt-account-id",
    ],
)
def test_the_values_of_headers_that_prove_something_are_replaced(name: str) -> None:
    assert mask.headers([(name, "whatever it says")]) == {name.lower(): REDACTED}


def test_other_headers_pass_but_for_keys_in_them() -> None:
    sent = {"X-Request-Id": "req-1", "session-id": "s-1", "x-note": f"use {marked.key('n')}", "max-tokens": "5"}
    shown = mask.headers(sent.items())
    assert shown == {"x-request-id": "req-1", "session-id": "s-1", "x-note": f"use {REDACTED}", "max-tokens": "5"}


@pytest.mark.parametrize(
    "secret",
    [
        marked.key("one"),
        marked.key("two", "sk-ant-api03-"),
        marked.jwt({"sub": "x"}),
        "ghp_" + "a1" * 18,
        "github_pat_" + "a1" * 20,
        "AIza" + "b" * 35,
        "AKIA" + "A1B2" * 4,
        "xoxb-1234567890-abc",
        "gsk_" + "c3" * 20,
        "crsr_" + "d4" * 20,
        "-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_key_is_replaced_in_any_text(secret: str) -> None:
    assert mask.text(f'{{"text":"my key is {secret}"}}') == f'{{"text":"my key is {REDACTED}"}}'


def test_a_bearer_in_a_text_is_replaced_with_its_word() -> None:
    assert mask.text('curl -H "Authorization: Bearer abcdefghijklmnopqrst" x') == f'curl -H "Authorization: {REDACTED}" x'


def test_ordinary_words_pass() -> None:
    words = "task-oriented sk-short, the bearer of news, monkey-patching-the-whole-thing-again, eyJust.a.test, key-value"
    assert mask.text(words) == words
