"""Providers charge a fraction for a beginning they have seen, to the byte. A session keeps it, with every provider's quirks: each
request begins with all messages of the one before, behind the same tools. A longer one is in tests/chain/test_prompt_cache.py."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from codex_shim.orchestrator.settings.providers import packaged
from codex_shim.stages.contract.events import Event
from codex_shim.stages.egress_http.config import Quirks
from codex_shim.stages.egress_http.dialects.base import Target
from codex_shim.stages.egress_http.dialects.chat.request import translate

Run = Callable[..., list[Event]]

TURNS = 10  # each way of thinking twice
CHAT = [name for name, preset in packaged().items() if preset.dialect == "chat"]
TOOLS = [
    {"type": "function", "name": "shell", "parameters": {"type": "object", "properties": {"cmd": {"type": ["string", "null"]}}}},
    {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
    {"type": "namespace", "name": "mcp__db", "tools": [{"type": "function", "name": "query", "strict": True}]},
]
THINKING: list[dict[str, Any]] = [
    {"reasoning_content": "hm"},
    {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "s", "index": 0}]},
    {"content": "<think>hm</think>\n\n"},
    {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
    {},
]


def target_of(provider: str, model: str) -> Target:
    facts = packaged()[provider].facts(model)
    return Target(model=model, provider=provider, images=facts.images, quirks=msgspec.convert(facts.quirks, Quirks))


def targets() -> dict[str, Target]:
    """One for each provider, and for each model that is in anything unlike the others."""
    found: dict[tuple[str, bytes], tuple[str, Target]] = {}
    for provider in CHAT:
        patterns = [table["match"] for table in packaged()[provider].models]
        for model in ("m", *(each for pattern in patterns for each in ([pattern] if isinstance(pattern, str) else pattern))):
            target = target_of(provider, model.replace("*", "x"))
            key = provider if model == "m" else "", msgspec.json.encode((target.quirks, target.images))
            found.setdefault(key, (f"{provider}-{target.model}", target))
    return dict(found.values())


def body(input: list[dict[str, Any]]) -> dict[str, Any]:
    settings = {"reasoning": {"effort": "high"}, "text": {"verbosity": "low"}, "prompt_cache_key": "k", "parallel_tool_calls": True}
    return {"instructions": "You are Codex.", "input": json.loads(json.dumps(input)), "tools": TOOLS, **settings}


def answer(run: Run, target: Target, input: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    call = {"name": ("shell", "apply_patch", "mcp__db__query")[number % 3], "arguments": '{"input": "é"}'}
    extra = {"extra_content": {"google": {"thought_signature": "s"}}} if number % 2 else {}
    deltas = [
        THINKING[number % len(THINKING)],
        {"content": "Looking."},
        {"tool_calls": [{"index": 0, "id": f"call_{number}", "function": call, **extra}]},
        {"tool_calls": [{"index": 1, "id": f"also {number}", "function": call}]},
    ]
    chunks = [json.dumps({"choices": [{"delta": delta}]}) for delta in deltas] + ['{"choices": [{"finish_reason": "stop"}]}']
    events = run(body(input), ["".join(f"data: {chunk}\n\n" for chunk in chunks).encode()], target)
    assert events[-1]["type"] == "response.completed"
    return events[-1]["response"]["output"]


def output(item: dict[str, Any]) -> dict[str, Any]:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "original"}
    return {"type": f"{item['type']}_output", "call_id": item["call_id"], "output": [{"type": "input_text", "text": "ok"}, image]}


def session(run: Run, target: Target) -> list[dict[str, Any]]:
    """What is sent upstream, one tool loop for each turn."""
    history: list[dict[str, Any]] = [{"role": "developer", "content": "Skills."}]
    payloads = []
    for number in range(TURNS):
        if number % 5 == 3:
            history.append({"role": "developer", "content": f"The mode is now {number}."})
        history.append({"role": "user", "content": f"Question {number}"})
        payloads.append(translate(body(history), target).payload)
        items = answer(run, target, history, number)
        history += [*items, *(output(item) for item in items if "call_id" in item)]
        payloads.append(translate(body(history), target).payload)
        history.append({"role": "assistant", "content": f"Answer {number}"})
    return payloads


@pytest.mark.parametrize("target", [pytest.param(target, id=name) for name, target in targets().items()])
def test_what_was_sent_once_is_sent_again_byte_for_byte(run: Run, target: Target):
    payloads = session(run, target)
    before: list[bytes] = []
    for payload in payloads:
        messages = [msgspec.json.encode(message) for message in payload.pop("messages")]
        assert messages[: len(before)] == before
        assert len(messages) > len(before)
        before = messages
    assert len({msgspec.json.encode(payload) for payload in payloads}) == 1
