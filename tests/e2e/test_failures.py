"""What Codex's user sees when the provider fails, and how often the provider is asked: once for what will not change by itself.

One failure of each kind that Codex can tell apart. What each status and each sentence of a provider comes to is in
tests/stages/egress_http and tests/stages/ingress/test_codex.py.
"""

from __future__ import annotations

import pytest
from chat_answers import DONE, Answer, Close, Reset, Step, chunk, finish, refuses, says
from codex_cli import Codex
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream

PROVIDER = "127.0.0.1"
HTML = b"<!DOCTYPE html><html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>"
ONE_RETRY = ("-c", "model_providers.codex_shim.stream_max_retries=1")


def error(message: str, **more: str) -> dict[str, object]:
    return {"error": {"message": message, **more}}


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        pytest.param(
            refuses(401, error("Incorrect API key provided", code="invalid_api_key")),
            "Incorrect API key provided (HTTP 401; check the key of this model in models.json, then `codex-shim restart`)",
            id="a wrong key",
        ),
        pytest.param(refuses(404, error("The model `x` does not exist")), "The model `x` does not exist", id="an unknown model"),
        pytest.param(refuses(404, HTML), "an HTML page instead of JSON (HTTP 404)", id="a wrong base URL"),
        pytest.param(
            refuses(429, error("Daily limit reached"), {"retry-after": "7200"}),
            "Daily limit reached (HTTP 429). The provider asks to wait about 120 minutes.",
            id="a limit of hours",
        ),
        pytest.param(
            Answer(chunk(content="half"), finish("content_filter"), DONE),
            "content filter stopped this answer",
            id="a filtered answer",
        ),
    ],
)
def test_what_will_not_change_is_shown_once_in_the_providers_words(
    codex: Codex, upstream: ScriptedUpstream, answer: Answer, shown: str
) -> None:
    upstream.script(answer)
    turn = codex.exec("hi")
    assert turn.code == 1
    assert shown in turn.failure
    assert turn.failure.startswith(PROVIDER)
    assert turn.reconnects == []
    assert len(upstream.requests) == 1


def test_an_overflowing_context_is_explained_by_codex_itself_after_one_request(codex: Codex, upstream: ScriptedUpstream) -> None:
    sentence = "This model's maximum context length is 1000 tokens. However, you requested 2000 tokens."
    upstream.script(refuses(400, error(sentence, type="invalid_request_error")))
    turn = codex.exec("hi")
    assert turn.code == 1
    assert turn.failure.startswith("Codex ran out of room in the model's context window.")
    assert len(upstream.requests) == 1


def test_an_answer_cut_at_its_length_limit_is_not_shown_as_complete(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer(chunk(content="half"), finish("length"), DONE))
    turn = codex.exec("hi")
    assert turn.code == 1
    assert turn.failure == "Incomplete response returned, reason: max_output_tokens"
    assert turn.text == "half"
    assert len(upstream.requests) == 1


def test_codex_waits_as_long_as_a_rate_limit_says_and_then_succeeds(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(refuses(429, error("Slow down"), {"retry-after": "1"}), says("ok"))
    turn = codex.exec("hi")
    assert (turn.code, turn.text) == (0, "ok")
    assert len(turn.reconnects) == 1
    assert f"{PROVIDER}: Slow down (HTTP 429). Please try again in 1s." in turn.reconnects[0]
    first, second = upstream.requests
    assert first.answered_at is not None
    assert second.at - first.answered_at >= 1.0


@pytest.mark.parametrize(
    ("broken", "shown"),
    [
        pytest.param(refuses(502, HTML), "an HTML page instead of JSON (HTTP 502)", id="502 with a page"),
        pytest.param(Answer(chunk(content="half"), Reset()), "broke off in the middle of its answer", id="a reset mid-stream"),
        pytest.param(Answer(chunk(content="half")), "ended its answer before it was finished", id="no finish reason"),
        pytest.param(Answer(chunk(content="half"), error("Engine overloaded")), "Engine overloaded", id="an error mid-stream"),
        pytest.param(Answer(b"data: {oops\n\n"), "not part of an answer", id="garbage"),
    ],
)
def test_what_may_pass_is_named_and_tried_again(codex: Codex, upstream: ScriptedUpstream, broken: Answer, shown: str) -> None:
    upstream.script(broken, says("whole"))
    turn = codex.exec("hi")
    assert (turn.code, turn.text) == (0, "whole")
    assert [item["text"] for item in turn.items("agent_message")] == ["whole"], "the half answer must not be kept"
    assert len(turn.reconnects) == 1
    assert shown in turn.reconnects[0]
    assert PROVIDER in turn.reconnects[0]
    assert len(upstream.requests) == 2
    assert upstream.requests[1].messages == upstream.requests[0].messages


def test_a_new_connection_that_is_closed_without_an_answer_is_named_and_tried_again(
    codex: Codex, upstream: ScriptedUpstream
) -> None:
    upstream.refuse_connections()  # what was kept alive is gone
    upstream.listen()
    upstream.script(Answer(before_head=(Close(),)), says("whole"))
    turn = codex.exec("hi")
    assert (turn.code, turn.text) == (0, "whole")
    assert f"{PROVIDER} closed the connection without an answer" in turn.reconnects[0]
    assert len(upstream.requests) == 2


def test_a_kept_connection_that_the_provider_has_given_up_is_replaced_in_silence(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(says("one"), Answer(before_head=(Close(),)), says("two"))
    codex.exec("hi")
    turn = codex.exec("hi again")
    assert (turn.code, turn.text) == (0, "two")
    assert turn.reconnects == []
    assert len(upstream.requests) == 3


def test_a_provider_that_keeps_failing_is_asked_six_times_not_thirty(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(lambda _: refuses(500, error("boom inside")))
    turn = codex.exec("hi")
    assert turn.code == 1
    assert turn.failure == f"stream disconnected before completion: {PROVIDER}: boom inside (HTTP 500)"
    assert len(turn.reconnects) == 5
    assert len(upstream.requests) == 6


def test_a_provider_that_is_not_there_is_named_with_its_address(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.refuse_connections()
    try:
        turn = codex.exec("hi", *ONE_RETRY)
    finally:
        upstream.listen()
    assert turn.code == 1
    assert f"{PROVIDER} cannot be reached at http://127.0.0.1:{upstream.port}: Connection refused" in turn.failure
    assert len(turn.reconnects) == 1


def test_a_step_that_ran_before_the_failure_is_not_run_again(codex: Codex, upstream: ScriptedUpstream) -> None:
    call: Step = chunk(
        tool_calls=[{"index": 0, "id": "call_1", "function": {"name": "exec_command", "arguments": '{"cmd": "echo ran >> log"}'}}]
    )
    upstream.script(Answer(call, finish("tool_calls"), DONE), refuses(500, error("boom")), says("ok"))
    assert codex.exec("hi").text == "ok"
    assert (codex.workspace / "log").read_text() == "ran\n"
    assert upstream.requests[2].messages == upstream.requests[1].messages


def test_a_wrong_local_token_is_told_once_with_the_command_that_mends_it(
    bare_codex: Codex, chain: RunningChain, upstream: ScriptedUpstream
) -> None:
    bare_codex.use(chain)
    config = bare_codex.home / "config.toml"
    config.write_text(config.read_text().replace(chain.token, "not-this-chains-token"))
    turn = bare_codex.exec("hi")
    assert turn.code == 1
    assert turn.failure.startswith("the token is not this chain's;")
    assert turn.failure.endswith("`codex-shim generate` writes it into Codex's configuration")
    assert turn.reconnects == []
    assert upstream.requests == []
