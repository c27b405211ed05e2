"""Deny and route."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.errors import HopError
from policy_requests import changed, notes, run

ASKED = {"model": "big", "input": "where is my lunch?"}


def test_a_denied_request_is_refused_with_the_sentence_of_the_rule() -> None:
    with pytest.raises(HopError) as raised:
        run(ASKED, {"do": "deny", "sentence": "No lunch here.", "when": {"says": "lunch"}})
    assert (raised.value.failure.status, raised.value.failure.message) == (403, "No lunch here.")


def test_rules_before_a_denial_that_does_not_hold_go_on() -> None:
    deny = {"do": "deny", "sentence": "No.", "when": {"says": "dinner"}}
    assert changed(ASKED, deny, {"do": "set", "values": {"n": 1}})["n"] == 1


def test_a_route_hint_chooses_the_slug_and_later_rules_see_it() -> None:
    tables = [
        {"do": "route", "to": "small", "when": {"tokens_below": 100}},
        {"do": "set", "values": {"reasoning.effort": "low"}, "when": {"models": ["small"]}},
    ]
    assert changed(ASKED, *tables) == {"model": "small", "input": ASKED["input"], "reasoning": {"effort": "low"}}
    assert notes(ASKED, *tables) == ["route big → small", "set reasoning.effort"]
    assert notes(ASKED, {"do": "route", "to": "big"}) == []
