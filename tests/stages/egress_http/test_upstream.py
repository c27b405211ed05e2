"""Whose failure it is: every failed stream names its provider once."""

from __future__ import annotations

import asyncio

import pytest
from codex_shim.stages.contract.errors import SERVER_ERROR, Failure
from codex_shim.stages.contract.events import Event, ResponseBuilder
from codex_shim.stages.egress_http.config import Config
from codex_shim.stages.egress_http.dialects import DIALECTS, Target
from codex_shim.stages.egress_http.dialects.base import last_event
from codex_shim.stages.egress_http.redact import Redactor
from codex_shim.stages.egress_http.upstream import Upstream, name_provider
from raw_upstream import SSE, upstream


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The provider ended its answer before it was finished.", "p.test: The provider ended its answer before it was finished."),
        ("p.test broke off in the middle of its answer", "p.test broke off in the middle of its answer"),
    ],
)
def test_a_failure_inside_a_stream_is_given_the_providers_name(said: str, shown: str) -> None:
    builder = ResponseBuilder("slug", 1)
    events = [*builder.start(), *builder.fail(Failure(code=SERVER_ERROR, message=said))]
    named = name_provider(events, "p.test", Redactor([]))
    assert (last_event(named) or {})["response"]["error"] == {"code": SERVER_ERROR, "message": shown}
    assert named[:-1] == events[:-1]


def test_what_did_not_fail_is_left_alone() -> None:
    builder = ResponseBuilder("slug", 1)
    events = [*builder.start(), *builder.text("hi")]
    assert name_provider(events, "p.test", Redactor([])) is events


def test_a_key_that_the_provider_repeats_inside_a_stream_is_shown_nowhere_in_the_failure() -> None:
    builder = ResponseBuilder("slug", 1)
    events = [*builder.start(), *builder.fail(Failure(code=SERVER_ERROR, message="the key sk-marked is not known"))]
    failed = last_event(events) or {}
    failed["response"]["error"] |= {"param": "sk-marked", "seen": [{"authorization": "Bearer sk-marked"}, 401, None]}
    named = name_provider(events, "p.test", Redactor(["sk-marked"]))
    error = (last_event(named) or {})["response"]["error"]
    assert error["message"] == "p.test: the key [REDACTED] is not known"
    assert (error["param"], error["seen"]) == ("[REDACTED]", [{"authorization": "Bearer [REDACTED]"}, 401, None])


def answers(raw: bytes, *, grace_seconds: float = 0.05) -> list[Event]:
    """What an upstream that sends `raw`, and then neither a byte nor an end, comes to."""

    async def play() -> list[Event]:
        async with upstream(SSE + raw, silent=True) as server:
            dialect = DIALECTS["chat"]
            sender = Upstream(Config(base_url=server.url, idle_seconds=0.5), dialect, grace_seconds=grace_seconds)
            builder = ResponseBuilder("slug", 1)
            prepared = dialect.prepare({"input": "hi"}, Target(model="m"), builder)
            try:
                lists = [list(events) async for events in sender.events(prepared, builder, {}, {})]
            finally:
                await sender.close()
            return [event for events in lists for event in events if isinstance(event, dict)]

    return asyncio.run(play())


WORDS = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'


def test_an_upstream_that_has_said_why_it_stopped_is_not_waited_for() -> None:
    assert answers(WORDS + STOP)[-1]["type"] == "response.completed"


def test_one_that_has_not_is_waited_for_and_then_given_up() -> None:
    """Silence in the middle is the idle timer's business, not the grace timer's."""
    failed = answers(WORDS)[-1]
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"]["message"] == "127.0.0.1 sent nothing for too long and was given up"


def test_nothing_is_read_behind_the_end() -> None:
    events = answers(WORDS + STOP + b"data: [DONE]\n\n" + WORDS, grace_seconds=30)
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "Hi"
