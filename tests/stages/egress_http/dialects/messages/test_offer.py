from __future__ import annotations

from typing import Any

import pytest
from codex_shim.stages.contract.choosing import Choice
from codex_shim.stages.contract.notes import Notes
from codex_shim.stages.contract.tools import Tool
from codex_shim.stages.egress_http.dialects.messages.models import traits_of
from codex_shim.stages.egress_http.dialects.messages.offer import offer, possible, wire_choice

OPUS = traits_of("claude-opus-4-6")
TOOL = Tool(flat="f", kind="function_call", name="f", spec={})


@pytest.mark.parametrize(
    ("choice", "parallel", "wire"),
    [
        (Choice(mode="auto", offered=[TOOL]), True, None),
        (Choice(mode="auto", offered=[TOOL]), None, None),
        (Choice(mode="auto", offered=[TOOL]), False, {"type": "auto", "disable_parallel_tool_use": True}),
        (Choice(mode="none", offered=[TOOL]), False, {"type": "none"}),
        (Choice(mode="required", offered=[TOOL]), True, {"type": "any"}),
        (
            Choice(mode="required", offered=[TOOL], tool=TOOL),
            False,
            {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_a_choice_is_said_only_where_it_says_something(choice: Choice, parallel: Any, wire: Any):
    assert wire_choice(choice, parallel) == wire


def test_what_cannot_be_demanded_is_left_to_the_model_and_noted():
    choice, notes = Choice(mode="required", offered=[TOOL], tool=TOOL), Notes()
    assert possible(choice, OPUS, notes) is choice
    assert not notes.all()
    assert possible(choice, traits_of("claude-sonnet-5-5"), notes) == Choice(mode="auto", offered=[TOOL])
    assert len(notes.all()) == 1


def test_a_tool_of_the_history_is_declared_by_its_name():
    """D1: while a conversation is summarised no tool is on offer, yet its calls are in the history."""
    known = Tool(flat="mcp__s__x", kind="function_call", name="x", namespace="mcp__s")
    assert offer(known, OPUS, Notes()) == {"name": "mcp__s__x", "input_schema": {"type": "object", "properties": {}}}


def test_strict_is_sent_to_models_that_know_it():
    tool, notes = Tool(flat="f", kind="function_call", name="f", spec={"strict": True}), Notes()
    assert offer(tool, OPUS, notes)["strict"] is True
    assert not notes.all()
    assert "strict" not in offer(tool, traits_of("kimi-k3"), notes)
    assert len(notes.all()) == 1


def test_alternatives_at_the_root_of_a_schema_are_offered_together():
    schema = {"type": "object", "oneOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {}}}, "odd"]}
    tool = Tool(flat="f", kind="function_call", name="f", spec={"parameters": schema})
    offered = offer(tool, OPUS, Notes())["input_schema"]
    assert offered == {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}}
    assert "oneOf" in schema
