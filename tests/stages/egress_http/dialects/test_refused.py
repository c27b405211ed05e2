"""What providers say of a setting they do not take, in their own words, and what is sent from then on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codex_shim.stages.egress_http.dialects import provider_errors
from codex_shim.stages.egress_http.dialects.refused import Lesson, applied, lesson_of

PAYLOAD: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "temperature"}],
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "stream": True,
    "stream_options": {"include_usage": True},
    "max_tokens": 9,
    "temperature": 0.5,
    "reasoning_effort": "high",
    "thinking": {"type": "enabled"},
    "service_tier": "flex",
    "store": False,
}
NATIVE = b'{"model":"m", "reasoning":{"effort":"high","summary":"auto"},"text":{"verbosity":"low"},"input":"hi","n":1.0}'
GEMINI = {"contents": [], "generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}, "maxOutputTokens": 9}}


def openai(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": "unsupported_parameter", **more}}


def learned(body: Any, payload: Any = None, status: int = 400) -> Lesson | None:
    raw = json.dumps(body).encode() if not isinstance(body, bytes) else body
    return lesson_of(provider_errors.read_answer(status, raw, None), PAYLOAD if payload is None else payload)


def must_learn(body: Any, payload: Any = None, status: int = 400) -> Lesson:
    lesson = learned(body, payload, status)
    assert lesson is not None
    return lesson


@pytest.mark.parametrize(
    ("body", "status", "name"),
    [
        (openai("Unsupported parameter: 'temperature' is not supported with this model.", param="temperature"), 400, "temperature"),
        (openai("Unsupported value: 'temperature' does not support 0.5 with this model."), 400, "temperature"),
        ({"error": {"message": "Unrecognized request argument supplied: reasoning_effort"}}, 400, "reasoning_effort"),
        ({"error": {"message": "`reasoning_effort` is not supported with this model"}}, 400, "reasoning_effort"),
        ({"error": "Model grok-4 does not support parameter reasoningEffort."}, 400, "reasoning_effort"),
        ({"error": {"message": "property 'service_tier' is unsupported"}}, 400, "service_tier"),
        ({"error": {"message": "property 'body.service_tier' is unsupported", "code": "wrong_api_format"}}, 400, "service_tier"),
        (
            {
                "detail": [
                    {"type": "extra_forbidden", "loc": ["body", "parallel_tool_calls"], "msg": "Extra inputs are not permitted"}
                ]
            },
            422,
            "parallel_tool_calls",
        ),
        ({"type": "error", "error": {"message": "thinking: Extra inputs are not permitted"}}, 400, "thinking"),
        ({"error": {"message": "`store` is not allowed"}}, 400, "store"),
        (
            {"message": "litellm.UnsupportedParamsError: x does not support parameters: ['parallel_tool_calls']"},
            400,
            "parallel_tool_calls",
        ),
    ],
)
def test_the_setting_that_a_provider_names_is_left_out(body: Any, status: int, name: str) -> None:
    lesson = must_learn(body, status=status)
    assert lesson == Lesson((name,))
    assert applied([lesson], PAYLOAD) == {key: value for key, value in PAYLOAD.items() if key != name}
    assert f"`{name}`" in lesson.note


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": {"message": "`tools` is not supported"}}, 400),
        ({"error": {"message": "This model does not support image input."}}, 400),
        ({"error": {"message": "temperature must be between 0 and 2"}}, 400),
        ({"error": {"message": "Storing in the store is not allowed for your thinking."}}, 400),
        ({"error": {"message": "Unsupported parameter: 'top_p'", "param": "top_p"}}, 400),
        ({"error": {"message": "messages.0.thinking: Extra inputs are not permitted"}}, 400),
        ({"error": {"message": "'tools[0].temperature' is not supported"}}, 400),
        (openai("'temperature' is not supported"), 401),
        (openai("'temperature' is not supported"), 500),
        ({"error": {"message": "maximum context length exceeded; 'temperature' is not supported"}}, 400),
        (b"<html>'temperature' is not supported</html>", 400),
    ],
)
def test_everything_else_teaches_nothing(body: Any, status: int) -> None:
    assert learned(body, status=status) is None


def test_a_limit_goes_by_the_name_the_provider_asks_for() -> None:
    said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    lesson = must_learn(openai(said, param="max_tokens"))
    assert lesson == Lesson(("max_tokens",), "max_completion_tokens")
    changed = applied([lesson], PAYLOAD)
    assert isinstance(changed, dict)
    assert (list(changed).index("max_completion_tokens"), changed["max_completion_tokens"]) == (
        list(PAYLOAD).index("max_tokens"),
        9,
    )
    assert "max_tokens" not in changed
    assert learned(openai("'max_tokens' is not supported", param="max_tokens")) is None, "a limit is not lost"


def test_bytes_stay_the_bytes_they_were_around_a_setting() -> None:
    inner = must_learn(openai("Unsupported parameter: 'reasoning.summary'", param="reasoning.summary"), NATIVE)
    assert inner == Lesson(("reasoning", "summary"))
    assert applied([inner], NATIVE) == (
        b'{"model":"m","reasoning":{"effort":"high"},"text":{"verbosity":"low"},"input":"hi","n":1.0}'
    )
    outer = must_learn(openai("Unknown parameter: 'reasoning'.", param="reasoning"), NATIVE)
    assert outer == Lesson(("reasoning",))
    assert applied([outer, Lesson(("text", "verbosity"))], NATIVE) == b'{"model":"m","text":{},"input":"hi","n":1.0}'
    assert applied([inner, outer], b'{"model":"m"}') == b'{"model":"m"}'


def test_google_names_settings_in_its_own_way() -> None:
    said = "Invalid JSON payload received. Unknown name \"thinkingConfig\" at 'generation_config': Cannot find field."
    lesson = must_learn({"error": {"message": said, "status": "INVALID_ARGUMENT"}}, GEMINI)
    assert lesson == Lesson(("generationConfig", "thinkingConfig"))
    assert applied([lesson], GEMINI) == {"contents": [], "generationConfig": {"maxOutputTokens": 9}}
