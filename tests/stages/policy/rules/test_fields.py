"""Set, default, drop, replace."""

from __future__ import annotations

from typing import Any

from policy_requests import changed, notes, run

ASKED: dict[str, Any] = {"model": "m", "temperature": None, "reasoning": {"effort": "high", "summary": "auto"}, "input": []}


def test_set_wins_over_what_is_there_and_default_does_not() -> None:
    values = {"reasoning.effort": "low", "temperature": 0.2, "text.verbosity": "low"}
    asked = changed(ASKED, {"do": "set", "values": values})
    assert asked["reasoning"] == {"effort": "low", "summary": "auto"}
    assert (asked["temperature"], asked["text"]) == (0.2, {"verbosity": "low"})
    asked = changed(ASKED, {"do": "default", "values": values})
    assert asked["reasoning"] == {"effort": "high", "summary": "auto"}
    assert (asked["temperature"], asked["text"]) == (0.2, {"verbosity": "low"})


def test_drop_takes_out_and_says_what() -> None:
    table = {"do": "drop", "paths": ["reasoning.summary", "absent.too", "temperature"]}
    asked = changed(ASKED, table)
    assert asked == {"model": "m", "reasoning": {"effort": "high"}, "input": []}
    assert notes(ASKED, table) == ["drop reasoning.summary, temperature"]


def test_a_rule_that_changes_nothing_says_nothing_and_leaves_the_bytes() -> None:
    raw = b'{"model":"m",  "reasoning":{ "effort" : "low" },"input":"hi"}'
    tables = [
        {"do": "set", "values": {"reasoning.effort": "low"}},
        {"do": "default", "values": {"model": "other"}},
        {"do": "drop", "paths": ["absent", "input[0]"]},
        {"do": "replace", "pattern": "absent"},
    ]
    assert run(raw, *tables) == (raw, [])


def test_replace_finds_texts_however_deep_and_leaves_names_alone() -> None:
    items = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "ask Acme and acme"}]},
        {"type": "function_call_output", "call_id": "call_Acme", "output": "Acme said so"},
    ]
    asked = changed({"model": "Acme", "input": items}, {"do": "replace", "pattern": "(A|a)cme", "by": r"\1pex"})
    assert asked["input"][0]["content"][0]["text"] == "ask Apex and apex"
    assert asked["input"][1] == {"type": "function_call_output", "call_id": "call_Acme", "output": "Apex said so"}
    assert asked["model"] == "Acme"


def test_items_beside_a_changed_one_stay_the_bytes_they_were() -> None:
    raw = b'{"model":"m","input":[{ "odd" : 1.0 },{"text":"Acme"},  {"n":1e3}],"z":{ }}'
    after, _ = run(raw, {"do": "replace", "pattern": "Acme", "by": "Apex"})
    assert after == b'{"model":"m","input":[{ "odd" : 1.0 },{"text":"Apex"},{"n":1e3}],"z":{ }}'
