"""Whose failure it is: every failed stream names its provider once."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.errors import SERVER_ERROR, Failure
from codex_shim.stages.contract.events import ResponseBuilder
from codex_shim.stages.egress_http.upstream import name_provider, without_secrets


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
    named = name_provider(events, "p.test")
    assert named[-1]["response"]["error"] == {"code": SERVER_ERROR, "message": shown}
    assert named[:-1] == events[:-1]


def test_what_did_not_fail_is_left_alone() -> None:
    builder = ResponseBuilder("slug", 1)
    events = [*builder.start(), *builder.text("hi")]
    assert name_provider(events, "p.test") is events


def test_a_key_that_the_provider_repeats_is_not_shown() -> None:
    builder = ResponseBuilder("slug", 1)
    events = [*builder.start(), *builder.fail(Failure(code=SERVER_ERROR, message="the key sk-marked is not known"))]
    named = name_provider(events, "p.test", ["sk-marked"])
    assert named[-1]["response"]["error"]["message"] == "p.test: the key [REDACTED] is not known"
    assert without_secrets("no key here", ["sk-marked"]) == "no key here"
