"""Each quirk by itself: what is sent without it, and what with it. Which provider has which is in providers.toml."""

import inspect
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from codex_shim.stages.egress_http.config import Quirks
from codex_shim.stages.egress_http.dialects.base import Target
from codex_shim.stages.egress_http.dialects.chat.request import ChatRequest, translate

DROPPED = "(dropped)"
FORMAT = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}
NATIVE = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True}}
WORDS = 'Answer with one JSON object and nothing else. It must match this JSON Schema:\n{"type":"object"}'
STRICT = {"type": "function", "name": "s", "strict": True}
LOOSE = {"type": "function", "name": "l"}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "original"}
CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "ok"}
EVERYTHING: dict[str, Any] = {
    "instructions": "base",
    "input": [
        {"role": "user", "content": "one"},
        {"role": "developer", "content": "late"},
        CALL,
        OUTPUT,
        {"role": "user", "content": [IMAGE]},
    ],
    "tools": [STRICT, LOOSE],
    "parallel_tool_calls": True,
    "reasoning": {"effort": "high"},
    "text": {"verbosity": "low", "format": FORMAT},
    "max_output_tokens": 9,
    "temperature": 0.5,
    "top_p": 0.9,
    "service_tier": "flex",
    "prompt_cache_key": "key-1",
}


def ask(quirks: dict[str, Any], body: dict[str, Any] | None = None) -> ChatRequest:
    return translate({**EVERYTHING, **(body or {})}, Target(model="m", quirks=msgspec.convert(quirks, Quirks)))


def at(value: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(value, dict) and step not in value:
            return DROPPED
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


CASES: list[tuple[dict[str, Any], dict[str, Any], str, Any]] = [
    # quirks, more of the request, where to look, what is there
    ({}, {}, "messages.0.role", "system"),
    ({"developer_role": True}, {}, "messages.0.role", "developer"),
    ({}, {}, "messages.2.content", "<developer>\nlate\n</developer>"),
    ({"late_instructions": "same"}, {}, "messages.2", {"role": "system", "content": "late"}),
    ({"late_instructions": "same", "developer_role": True}, {}, "messages.2", {"role": "developer", "content": "late"}),
    ({"alternate": True}, {}, "messages.1.content", "one\n\n<developer>\nlate\n</developer>"),
    ({}, {"input": [{"role": "assistant", "content": "a"}]}, "messages.2", {"role": "user", "content": "Continue."}),
    ({"prefill": "keep"}, {"input": [{"role": "assistant", "content": "a"}]}, "messages.-1.content", "a"),
    ({}, {}, "messages.3.content", ""),
    ({"empty_content": "null"}, {}, "messages.3.content", None),
    ({"empty_content": "list"}, {}, "messages.3.content", [{"type": "text", "text": ""}]),
    ({}, {}, "messages.5.content.0.image_url.detail", "high"),
    ({"image_detail": "original"}, {}, "messages.5.content.0.image_url.detail", "original"),
    ({"image_detail": "drop"}, {}, "messages.5.content.0.image_url.detail", DROPPED),
    ({}, {}, "messages.3.tool_calls.0.id", "call_1"),
    ({"call_ids": "nine"}, {}, "messages.3.tool_calls.0.id", "74196fe72"),
    ({"call_ids": "nine"}, {}, "messages.4.tool_call_id", "74196fe72"),
    ({"call_ids": "nine"}, {"input": [{**CALL, "call_id": "aBcDeF123"}]}, "messages.1.tool_calls.0.id", "aBcDeF123"),
    ({}, {}, "messages.4.name", DROPPED),
    ({"tool_names": True}, {}, "messages.4.name", "f"),
    ({}, {}, "parallel_tool_calls", True),
    ({"parallel_tool_calls": "drop"}, {}, "parallel_tool_calls", DROPPED),
    ({"parallel_tool_calls": "only_true"}, {}, "parallel_tool_calls", True),
    ({"parallel_tool_calls": "only_true"}, {"parallel_tool_calls": False}, "parallel_tool_calls", DROPPED),
    ({"parallel_tool_calls": "only_false"}, {}, "parallel_tool_calls", DROPPED),
    ({"parallel_tool_calls": "only_false"}, {"parallel_tool_calls": False}, "parallel_tool_calls", False),
    ({}, {"tools": []}, "parallel_tool_calls", DROPPED),  # D16
    ({}, {"tools": []}, "tool_choice", DROPPED),
    ({}, {"tool_choice": "required"}, "tool_choice", "required"),
    ({"tool_choice_required": "any"}, {"tool_choice": "required"}, "tool_choice", "any"),
    ({"tool_choice_required": "auto"}, {"tool_choice": "required"}, "tool_choice", "auto"),
    ({"tool_choice_required": "auto"}, {"tool_choice": "none"}, "tool_choice", "none"),
    ({}, {"tool_choice": {"type": "function", "name": "l"}}, "tool_choice.function.name", "l"),
    ({"tool_choice_named": "filter"}, {"tool_choice": {"type": "function", "name": "l"}}, "tool_choice", "required"),
    ({"tool_choice_named": "filter"}, {"tool_choice": {"type": "function", "name": "l"}}, "tools.0.function.name", "l"),
    ({}, {}, "tools.0.function.strict", True),
    ({}, {}, "tools.1.function.strict", DROPPED),
    ({"strict": "drop"}, {}, "tools.0.function.strict", DROPPED),
    ({"strict": "all_or_none"}, {}, "tools.0.function.strict", DROPPED),
    ({"strict": "all_or_none"}, {"tools": [STRICT]}, "tools.0.function.strict", True),
    ({}, {}, "max_tokens", 9),  # D16
    ({"max_tokens_field": "max_completion_tokens"}, {}, "max_completion_tokens", 9),
    ({"max_tokens_field": "max_completion_tokens"}, {}, "max_tokens", DROPPED),
    ({}, {}, "stream_options", {"include_usage": True}),  # D6
    ({"stream_usage": False}, {}, "stream_options", DROPPED),
    ({}, {}, "temperature", 0.5),
    ({"sampling": False}, {}, "temperature", DROPPED),
    ({"sampling": False}, {}, "top_p", DROPPED),
    ({}, {}, "response_format", NATIVE),  # D14
    ({"json_schema": "json_object"}, {}, "response_format", {"type": "json_object"}),
    ({"json_schema": "json_object"}, {}, "messages.0.content", f"base\n\n{WORDS}"),
    ({"json_schema": "text"}, {}, "response_format", DROPPED),
    ({"json_schema": "text"}, {}, "messages.0.content", f"base\n\n{WORDS}"),
    ({"json_schema": "text"}, {"instructions": None}, "messages.0", {"role": "system", "content": WORDS}),
    ({"json_with_tools": False}, {}, "response_format", DROPPED),
    ({"json_with_tools": False}, {"tools": []}, "response_format", NATIVE),
    ({}, {"text": {"format": {"type": "json_object"}}}, "response_format", {"type": "json_object"}),
    ({"json_schema": "text"}, {"text": {"format": {"type": "json_object"}}}, "response_format", DROPPED),
    ({}, {}, "verbosity", DROPPED),
    ({"verbosity": True}, {}, "verbosity", "low"),  # D14
    ({}, {}, "service_tier", DROPPED),
    ({"service_tier": True}, {}, "service_tier", "flex"),
    ({}, {}, "prompt_cache_key", DROPPED),
    ({"prompt_cache_key": True}, {}, "prompt_cache_key", "key-1"),
    ({"prompt_cache_key": True}, {"prompt_cache_key": "é"}, "prompt_cache_key", DROPPED),
    ({"extra_body": {"tool_stream": True}}, {}, "tool_stream", True),
    (
        {"extra_body": {"reasoning": {"exclude": False}}, "effort": "reasoning"},
        {},
        "reasoning",
        {"effort": "high", "exclude": False},
    ),
    ({}, {}, "reasoning_effort", "high"),  # D14
    ({}, {"reasoning": {}}, "reasoning_effort", DROPPED),
    ({}, {"reasoning": {"effort": "none"}}, "reasoning_effort", "none"),
    ({"efforts": {"high": "max"}}, {}, "reasoning_effort", "max"),
    ({"efforts": {"high": ""}}, {}, "reasoning_effort", DROPPED),
    ({"effort": "drop"}, {}, "reasoning_effort", DROPPED),
    ({"effort": "reasoning"}, {}, "reasoning", {"effort": "high"}),
    ({"thinking": "thinking"}, {}, "thinking", {"type": "enabled"}),
    ({"thinking": "thinking", "thinking_fields": {"keep": "all"}}, {}, "thinking", {"type": "enabled", "keep": "all"}),
    ({"thinking": "thinking"}, {"reasoning": {"effort": "none"}}, "thinking", {"type": "disabled"}),
    ({"thinking": "thinking"}, {"reasoning": {"effort": "none"}}, "reasoning_effort", DROPPED),
    ({"thinking": "thinking"}, {"reasoning": {}}, "thinking", DROPPED),
    ({"thinking": "enable_thinking"}, {}, "enable_thinking", True),
    ({"thinking": "enable_thinking"}, {"reasoning": {"effort": "none"}}, "enable_thinking", False),
]
ELSEWHERE = {  # quirks of the answer, of state, of headers and of schemas have tests of their own
    *("think_tags", "reasoning_back", "reasoning_field", "reasoning_lost", "call_state_lost", "hold_calls"),
    *("session_header", "schema_drop", "schema_fix"),
}


@pytest.mark.parametrize(("quirks", "body", "path", "value"), CASES, ids=lambda each: str(each)[:60])
def test_what_a_quirk_changes(quirks: dict[str, Any], body: dict[str, Any], path: str, value: Any):
    assert at(ask(quirks, body).payload, path) == value


def test_every_quirk_of_this_dialect_has_its_line():
    folder = Path(inspect.getfile(translate)).parent
    source = "".join(path.read_text() for path in folder.glob("*.py"))
    used = {name for name in Quirks.__struct_fields__ if re.search(rf"quirks\.{name}\b", source)}
    assert {name for quirks, *_ in CASES for name in quirks} | ELSEWHERE == used


def test_what_could_not_be_asked_for_is_noted():
    notes = ask({"tool_choice_required": "auto"}, {"tool_choice": "required"}).notes
    assert [note.partition(":")[0] for note in notes] == [
        "this upstream cannot be told that a tool must be called; the choice was left to the model",
        "the verbosity was not sent",
        "the service tier was not sent",
    ]
    assert ask({"verbosity": True, "service_tier": True}).notes == []


ONE_CALL = {"parallel_tool_calls": False}


@pytest.mark.parametrize(
    ("quirks", "body", "note"),
    [
        ({"parallel_tool_calls": "drop"}, ONE_CALL, "the model was not kept from calling several tools at once"),
        ({"parallel_tool_calls": "drop"}, {}, ""),
        ({"parallel_tool_calls": "drop"}, {**ONE_CALL, "tools": []}, ""),
        ({"strict": "drop"}, {}, "`strict` of a tool was not sent"),
        ({"strict": "all_or_none"}, {}, "`strict` of a tool was not sent"),
        ({"strict": "all_or_none"}, {"tools": [STRICT]}, ""),
        ({"strict": "drop"}, {"tools": [LOOSE]}, ""),
        ({"sampling": False}, {}, "`temperature` and `top_p` were not sent"),
        ({"sampling": False}, {"temperature": None, "top_p": None}, ""),
        ({"effort": "drop"}, {}, "the reasoning effort was not sent"),
        ({"effort": "drop", "thinking": "enable_thinking"}, {}, ""),
        ({"effort": "drop"}, {"reasoning": {}}, ""),
    ],
)
def test_what_was_left_out_is_noted_where_it_was_asked_for(quirks: dict[str, Any], body: dict[str, Any], note: str):
    notes = ask({"verbosity": True, "service_tier": True, **quirks}, body).notes
    assert [each[: len(note)] for each in notes] == ([note] if note else [])


def test_a_header_names_the_conversation():
    assert ask({"session_header": "x-conv"}).headers == {"x-conv": "key-1"}
    assert ask({"session_header": "x-conv"}, {"prompt_cache_key": None}).headers == {}
    assert ask({"session_header": "x-conv"}, {"prompt_cache_key": "a\r\nb"}).headers == {}
    assert ask({}).headers == {}
