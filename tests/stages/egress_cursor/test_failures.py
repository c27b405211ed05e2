"""What went wrong, in a sentence with its remedy, under a code that makes Codex do the right thing."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.errors import Failure
from codex_shim.stages.contract.events import stream_error
from codex_shim.stages.egress_cursor import failures
from codex_shim.stages.egress_cursor.redact import redact
from codex_shim.stages.egress_cursor.refusals import may_become_answer
from codex_shim.stages.ingress.codex import for_codex

AUTH = "Error: Authentication required. Please run 'agent login' first, or set CURSOR_API_KEY environment variable."
LIMIT = (
    "Error: You've hit your usage limit. spendLimitHit: … Your usage limits will reset when your monthly cycle ends on 12/1/2026."
)
RACE = "ENOENT: no such file or directory, rename '/h/cli-config.json.tmp' -> '/h/cli-config.json'"

# The end of standard error, the code and status, what Codex gets, and a word of the sentence. D48.
ENDS = [
    (AUTH, "cursor_auth_required", 401, "invalid_prompt", "cursor-agent login"),
    (AUTH.replace("agent login", "cursor agent login"), "cursor_auth_required", 401, "invalid_prompt", "cursor-agent login"),
    (
        "Authentication failed: your Cursor credentials or API key are invalid or expired.",
        *("cursor_auth_required", 401, "invalid_prompt", "expired"),
    ),
    ("Error: Your macOS login keychain is locked.", "cursor_auth_required", 401, "invalid_prompt", "unlock-keychain"),
    ("⚠ Workspace Trust Required\nPass --trust, --yolo, or -f", "cursor_misconfigured", 424, "invalid_prompt", "trust"),
    ("Cannot use this model: composer-9. Available models: a, b, c", "model_not_found", 404, "model_not_found", "`composer-9`"),
    ("Cannot use this model: gpt 5.5 fast", "model_not_found", 404, "model_not_found", "`gpt 5.5 fast`"),
    ("T: Named models unavailable on the free plan", "model_not_found", 404, "model_not_found", "plan"),
    (LIMIT, "cursor_usage_limit", 402, "invalid_prompt", "12/1/2026"),
    ("RetriableError: [resource_exhausted] Error", "cursor_rate_limited", 429, "rate_limit_exceeded", "try again in 15s"),
    ("ConnectError: [unavailable] Error", "cursor_upstream_unavailable", 503, "server_error", "network"),
    ("S: [canceled] Error", "cursor_upstream_unavailable", 503, "server_error", "try again"),
    ("T: [deadline_exceeded] Error", "cursor_upstream_unavailable", 503, "server_error", "try again"),
    ("connect ECONNREFUSED 127.0.0.1:9", "cursor_upstream_unavailable", 503, "server_error", "proxy"),
    ("ConnectError: [invalid_argument] Error", "invalid_prompt", 400, "invalid_prompt", "refused this request"),
    ("error: unknown option '--mode'", "cursor_misconfigured", 424, "invalid_prompt", "--mode"),
    (RACE, "cursor_misconfigured", 503, "server_error", "try again"),
    ("TypeError: x is not a function", "cursor_protocol_error", 502, "server_error", "x is not a function"),
    ("", "cursor_protocol_error", 502, "server_error", "exit code 1"),
]


@pytest.mark.parametrize(("stderr", "code", "status", "codex", "word"), ENDS)
def test_the_end_of_a_run(stderr: str, code: str, status: int, codex: str, word: str) -> None:
    failure = failures.of_run(1, stderr)
    assert (failure.code, failure.status) == (code, status)
    assert word in failure.message
    assert for_codex(failure).code == codex
    assert _inside_a_stream(failure).code == codex


def _inside_a_stream(failure: Failure) -> Failure:
    """As ingress reads it out of a `response.failed`."""
    error = stream_error(failure)
    return for_codex(Failure(code=error["code"], message=error["message"], status=502 if error["code"] == "server_error" else 400))


@pytest.mark.parametrize(
    ("failure", "codex"),
    [
        (failures.pool_full(8, 5), "rate_limit_exceeded"),
        (failures.pool_timeout(30), "server_error"),
        (failures.unavailable("The worker is being stopped."), "server_error"),
        (failures.unavailable("Cursor is disabled.", permanent=True), "invalid_prompt"),
        (failures.misconfigured("No such folder."), "invalid_prompt"),
        (failures.timeout("idle", 90), "server_error"),
        (failures.timeout("total", 900), "invalid_prompt"),
        (failures.too_much("output", "64 MiB"), "server_error"),
        (failures.policy_violation("edit"), "invalid_prompt"),
        (failures.tool_loop(6), "invalid_prompt"),
        (failures.wrong_login(""), "invalid_prompt"),
        (failures.cut_call(), "server_error"),
    ],
)
def test_only_what_may_mend_itself_is_tried_again(failure: Failure, codex: str) -> None:
    assert for_codex(failure).code == codex
    assert _inside_a_stream(failure).code == codex
    assert failure.message.endswith(".")


def test_a_race_for_the_settings_is_known() -> None:
    assert failures.is_config_race(RACE)
    assert not failures.is_config_race(AUTH)


@pytest.mark.parametrize(
    "text",
    [AUTH, LIMIT, "T: [resource_exhausted] Error", "Error: FooError: [unavailable] Error", " S: [internal] Error\n"],
)
def test_a_refusal_that_is_the_whole_answer_is_a_failure(text: str) -> None:
    assert failures.of_text(text) is not None
    assert failures.of_text(text + " " * 5) is not None
    assert failures.of_text("It said: " + text) is None


def test_a_refusal_is_held_back_from_its_first_letter_and_ordinary_text_is_not() -> None:
    for text in (AUTH, "RetriableError: [resource_exhausted] Error", "Error: You've hit your usage limit"):
        assert all(may_become_answer(text[:end]) for end in range(len(text)))
    for text in ("Hi", "The", "Error: the", "You can", "I", "Errors", "Sure", "Au revoir"):
        assert not may_become_answer(text)
    assert not may_become_answer(AUTH + "x" * 600)


def test_nothing_private_is_quoted() -> None:
    jwt = "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0"
    said = (
        f'{{"type":"user","message":"the whole prompt"}}\n\x1b[31mBearer abc.def {jwt} crsr_0123 key_9f8e '
        'sk-abcdef123 access_token="tok123" refreshToken: zzz9, api_key=hunter2 '
        'me@example.org /home/ada/x /opt/ada/y C:\\Users\\ada\\z \u200b\x07end\x1b[0m\n {"a":1}'
    )
    shown = redact(said, home="/opt/ada")
    for private in ("prompt", "abc.def", "eyJ", "crsr_", "9f8e", "abcdef123", "tok123", "zzz9", "hunter2", "example", "ada"):
        assert private not in shown, private
    assert shown.isprintable()
    assert shown.endswith("end")
    assert len(redact("x" * 1000)) == 400


def test_what_a_crash_says_is_quoted_without_secrets() -> None:
    failure = failures.of_run(None, 'Crashed for me@example.org\n{"type":"user","message":"prompt"}')
    assert failure.message == "cursor-agent ended without a result: Crashed for [address]"
    mirrored = '\x1b[2mstdout: {"type":"user","message":"You have hit your usage limit"}\x1b[0m\nCrashed.'
    assert failures.of_run(1, mirrored).message == "cursor-agent ended without a result (exit code 1): Crashed."
    assert failures.of_run(-9, "").message == "cursor-agent ended without a result (killed by signal 9); try again."
