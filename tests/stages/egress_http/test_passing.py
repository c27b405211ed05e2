"""Which headers cross the egress, in both directions."""

from __future__ import annotations

from codex_shim.stages.egress_http.passing import to_client, to_upstream


def test_limits_turn_state_and_the_request_id_come_back() -> None:
    """D30."""
    came = {
        "X-Codex-Primary-Used-Percent": "12",
        "x-codex-turn-state": "t",
        "x-ratelimit-remaining-tokens": "9",
        "anthropic-ratelimit-tokens-reset": "z",
        "Retry-After": "7",
        "x-request-id": "req_theirs",
        "openai-model": "another",
        "openai-organization": "private",
        "set-cookie": "c",
        "content-type": "text/event-stream",
    }
    assert to_client(came) == {
        "x-codex-primary-used-percent": "12",
        "x-codex-turn-state": "t",
        "x-ratelimit-remaining-tokens": "9",
        "anthropic-ratelimit-tokens-reset": "z",
        "retry-after": "7",
        "x-upstream-request-id": "req_theirs",
    }


def test_a_provider_learns_nothing_of_the_client_but_what_it_set_itself() -> None:
    came = {"x-codex-turn-state": "t", "x-codex-turn-metadata": "{}", "authorization": "Bearer local", "session-id": "s"}
    assert to_upstream(came, "responses") == {"x-codex-turn-state": "t"}
    assert to_upstream(came, "chat") == {}
    assert to_upstream({}, "responses") == {}
