"""Repair: pseudo calls in a stream, in whole answers, and what stays text."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.check.stream import StreamCheck
from codex_shim.stages.contract.events import ResponseBuilder
from codex_shim.stages.contract.sse import Frame, encode_frame
from codex_shim.stages.policy.effect import AnswerChange
from hypothesis import given
from hypothesis import strategies as st
from policy_requests import run

RULE = {"do": "repair"}
SHELL = {
    "type": "function",
    "name": "shell",
    "parameters": {
        "type": "object",
        "properties": {
            "cmd": {"type": "string"},
            "timeout": {"type": "integer"},
            "env": {"anyOf": [{"type": "object"}, {"type": "null"}]},
            "login": {"type": "boolean"},
        },
        "required": ["cmd"],
    },
}
TOOLS = [
    SHELL,
    {"type": "custom", "name": "apply_patch"},
    {"type": "namespace", "name": "mcp__files", "tools": [{"type": "function", "name": "open", "parameters": {}}]},
    {"type": "tool_search", "execution": "client"},
]
ASKED = {"model": "m", "input": [], "tools": TOOLS}
PATCH = "*** Begin Patch\n*** Add File: a\n+one\n*** End Patch"

JSON_CALL = '{"name": "shell", "arguments": {"cmd": "ls"}}'
TAG = f"<tool_call>{JSON_CALL}</tool_call>"
INVOKE = '<invoke name="shell"><parameter name="cmd">ls</parameter></invoke>'
PREFIX = "antml" + ":"
PREFIXED = INVOKE.replace("<", f"<{PREFIX}").replace(f"<{PREFIX}/", f"</{PREFIX}")
QWEN = "<tool_call>\n<function=shell>\n<parameter=cmd>\nls\n</parameter>\n</function>\n</tool_call>"
FENCE = f"```json\n{JSON_CALL}\n```"
LS = ("shell", '{"cmd":"ls"}')


def change(body: dict[str, Any] = ASKED, **keys: Any) -> AnswerChange:
    [effect] = run(body, RULE | keys)[1]
    assert effect.answer is not None
    return effect.answer


def numbered(*events: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def said(*deltas: str, end: str = "completed") -> list[dict[str, Any]]:
    """A message in these pieces, between a thought and a call."""
    builder = ResponseBuilder("m", 1, lambda prefix: f"{prefix}_theirs")
    events = [*builder.start(), *builder.reasoning("hm"), *builder.seal_reasoning("x")]
    for delta in deltas:
        events += builder.text(delta)
    events += builder.close()
    if end == "completed":
        events += [*builder.call("function_call", "call_9", "shell"), *builder.end_call("{}"), *builder.complete()]
    else:
        events += builder.incomplete("max_output_tokens")
    return msgspec.json.decode(msgspec.json.encode(events))


def through(answer: AnswerChange, events: list[dict[str, Any]]) -> list[Frame]:
    """What comes out, which keeps the contract."""
    frames = [Frame(event["type"].encode(), msgspec.json.encode(event)) for event in events]
    out = [each for frame in frames for each in answer.feed(frame)] + answer.finish()
    check = StreamCheck()
    ended = any(event["type"].startswith(("response.completed", "response.failed", "response.incomplete")) for event in events)
    assert check.feed(b"".join(map(encode_frame, out))) + check.finish(broken=not ended) == []
    return out


def items(frames: list[Frame]) -> list[dict[str, Any]]:
    """What Codex keeps; the terminal event says the same, and the deltas say it too."""
    events = [msgspec.json.decode(frame.data) for frame in frames]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert [event["response"]["output"] for event in events if event["type"] in ("response.completed",)] in ([], [done])
    places = [event["output_index"] for event in events if event["type"] == "response.output_item.added"]
    assert places == list(range(len(places)))
    assert len({item.get("call_id") for item in done if "call_id" in item}) == sum("call_id" in item for item in done)
    return done


def meant(item: dict[str, Any]) -> Any:
    if item["type"] == "message":
        return item["content"][0]["text"]
    name = f"{item['namespace']}.{item['name']}" if "namespace" in item else item.get("name", item["type"])
    return (name, item.get("arguments", item.get("input")))


def repaired(*deltas: str, **more: Any) -> list[Any]:
    """Texts and calls of the message."""
    found = [meant(item) for item in items(through(change(), said(*deltas, **more))) if item["type"] != "reasoning"]
    return found[:-1] if more.get("end", "completed") == "completed" else found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (INVOKE, [LS]),
        (f"I look.\n{INVOKE}", ["I look.\n", LS]),
        (f"I look: {TAG}", ["I look: ", LS]),
        (f"One\n{TAG}\nTwo\n\n{TAG}\n", ["One\n", LS, "Two\n\n", LS]),
        (f"\n\n{TAG}{TAG}", [LS, LS]),
        (f"<function_calls>\n{INVOKE}\n{INVOKE}\n</function_calls>\nDone", [LS, LS, "Done"]),
        (f"<tool_calls>{QWEN}</tool_calls>", [LS]),
        (PREFIXED, [LS]),
        (f"<function_calls>{INVOKE}</function_calls>", [LS]),
        (QWEN, [LS]),
        ("<function=shell><parameter=cmd>ls</parameter></function>", [LS]),
        (f"[TOOL_CALLS][{JSON_CALL}, {JSON_CALL}]", [LS, LS]),
        (f"So:\n{FENCE}\n", ["So:\n", LS]),
        (f"{FENCE}\n\n{FENCE}", [LS, LS]),
        ('<tool_call>{"name": "shell", "arguments": "{\\"cmd\\": \\"ls\\"}"}</tool_call>', [LS]),
        ('<tool_call>{"name": "shell", "arguments": {"cmd": "a\nb"}}</tool_call>', [("shell", '{"cmd":"a\\nb"}')]),
        ('<invoke name="mcp__files__open"></invoke>', [("mcp__files.open", "{}")]),
        ('<tool_call>{"name": "functions.shell", "arguments": {"cmd": "ls"}}</tool_call>', [LS]),
        ('<tool_call>{"name": "tool_search", "arguments": {"query": "x"}}</tool_call>', [("tool_search_call", {"query": "x"})]),
        (f'<invoke name="apply_patch"><parameter name="input">{PATCH}</parameter></invoke>', [("apply_patch", PATCH)]),
        (f'<invoke name="apply_patch"><parameter name="patch">\n{PATCH[16:]}\n</parameter></invoke>', [("apply_patch", PATCH)]),
    ],
)
def test_each_form_of_a_call_becomes_a_call(text: str, wanted: list[Any]) -> None:
    assert repaired(text) == wanted
    assert repaired(*text) == wanted


def test_parameters_have_the_types_of_the_schema() -> None:
    given = {"cmd": "1", "timeout": "30", "env": '{"A": "1"}', "login": "True", "new": "2"}
    body = "".join(f'<parameter name="{name}">{value}</parameter>' for name, value in given.items())
    [(_, arguments)] = repaired(f'<invoke name="shell">{body}</invoke>')
    assert json.loads(arguments) == {"cmd": "1", "timeout": 30, "env": {"A": "1"}, "login": True, "new": "2"}


@pytest.mark.parametrize(
    "text",
    [
        TAG.replace("shell", "rm"),
        f"You would write {TAG} for that.",
        f"`{TAG}`",
        f'"{TAG}"',
        f"> {TAG}",
        f"```xml\n{TAG}\n```\n",
        f"~~~\n{FENCE}\n~~~",
        f"{FENCE}\nis how it is done",
        f"{FENCE}\n```json\n[1]\n```",
        "```json\n" + '{"name": "shell", "arguments": {}}' + "\n```",
        "```json\n" + '{"name": "shell", "arguments": {"cmd": "ls"}, "why": 1}' + "\n```",
        "```json\n" + '{"name": "my-package", "version": "1"}' + "\n```",
        "```python\nshell()\n```",
        '<invoke name="shell">',
        '<invoke name="shell"><parameter name="cmd">rm -r',
        '<invoke name="shell"><parameter name="timeout">soon</parameter></invoke>',
        '<tool_call>{"name": "shell", "arguments": {"cmd": "l',
        "<tool_call> and </tool_call> are tags, <invoke too [TOOL_CALLS] a < b <",
        "``",
        "<function_calls>\n",
        "<function_calls>\n</function_calls>",
    ],
)
def test_what_is_no_call_stays_the_text_it_was(text: str) -> None:
    assert repaired(text) == [text]
    assert repaired(*text) == [text]


@pytest.mark.parametrize(
    "text", [TAG[:-12], TAG[:-3], INVOKE[:-9], QWEN[:-12], FENCE[:-4], f"<tool_call>{INVOKE}", TAG + "</tool_c"]
)
def test_a_forgotten_end_is_one_if_the_answer_is_whole(text: str) -> None:
    assert repaired(*text) == [LS]
    if text in (TAG[:-12], TAG[:-3], INVOKE[:-9], FENCE[:-4]):
        assert repaired(*text, end="incomplete") == [text]


def test_a_call_is_there_as_soon_as_it_is_closed_and_a_broken_stream_has_no_half_of_one() -> None:
    events = said("a\n" + TAG, "\nb " + TAG[:30])
    frames = through(change(), events[: next(n for n, event in enumerate(events) if event["type"].endswith("output_text.done"))])
    assert [meant(item) for item in items(frames)[1:]] == ["a\n", LS]


def test_only_what_may_become_a_call_is_held_back() -> None:
    answer = change()
    got = []
    for event in said("Hi", " a <", " b <to", "ol", "s> [1", "] ", "`x` <tool_c", "all", " is"):
        frames = answer.feed(Frame(event["type"].encode(), msgspec.json.encode(event)))
        got += [[msgspec.json.decode(frame.data).get("delta") for frame in frames]] if event["type"].endswith("text.delta") else []
    assert [texts[-1] if texts else "" for texts in got[1:]] == [
        "Hi",
        " a ",
        "< b ",
        "",
        "<tools> [1",
        "] ",
        "`x` ",
        "",
        "<tool_call is",
    ]


def test_nothing_is_decoded_or_written_anew_where_nothing_is_said_of_calls() -> None:
    events = said("Hello", " a < b, [x] and", " `code`\n```\nfence\n```\n", "<b>", end="incomplete")
    sent = [Frame(event["type"].encode(), json.dumps(event).encode()) for event in events]
    answer = change()
    assert [out for frame in sent for out in answer.feed(frame)] == sent
    assert answer.note is None


def test_events_that_nobody_knows_pass_in_their_place() -> None:
    events = said("a\n", TAG, "\nb")
    odd = {"type": "response.odd", "output_index": 1, "item_id": "msg_theirs", "x": 1.50}
    at = next(n for n, event in enumerate(events) if event.get("delta") == "\nb")
    events = numbered(*events[: at + 1], {"type": "keepalive"}, odd, *events[at + 1 :])
    frames = through(change(), events)
    names = [frame.event for frame in frames]
    assert names.index(b"keepalive") + 1 == names.index(b"response.odd")
    assert msgspec.json.decode(frames[names.index(b"response.odd")].data)["output_index"] == 3
    assert len(items(frames)) == 5


def test_a_message_whose_text_comes_only_at_its_end_is_read_too() -> None:
    events = [event for event in said(f"a\n{TAG}") if not event["type"].startswith(("response.output_text", "response.content"))]
    assert [meant(item) for item in items(through(change(), numbered(*events)))[1:-1]] == ["a\n", LS]


def test_a_whole_answer_is_split_like_a_stream() -> None:
    response = said(f"a\n{TAG}\nb")[-1]["response"]
    answer = change()
    after = msgspec.json.decode(answer.whole(msgspec.json.encode(response)))
    assert [meant(item) for item in after["output"][1:-1]] == ["a\n", LS, "b"]
    assert after["output"][1]["id"] == "msg_theirs"
    assert answer.note == "repair 1 calls"
    raw = json.dumps(said("nothing")[-1]["response"]).encode()
    assert change().whole(raw) == raw
    assert change().whole(b"{") == b"{"


@pytest.mark.parametrize("body", [{**ASKED, "tools": []}, {**ASKED, "tool_choice": "none"}])
def test_where_no_tool_is_offered_nothing_is_read(body: dict[str, Any]) -> None:
    frames = through(change(body), said(TAG))
    assert meant(items(frames)[1]) == TAG
    assert run(body, RULE | {"patches": False})[1] == []


def test_tools_that_came_with_the_conversation_are_offered() -> None:
    body = {"model": "m", "input": [{"type": "additional_tools", "tools": TOOLS}]}
    assert meant(items(through(change(body), said(TAG)))[1]) == LS


BITS = [
    TAG,
    INVOKE,
    QWEN,
    FENCE,
    "<function_calls>",
    "</function_calls>",
    "<tool_call>",
    "</tool_call>",
    "[TOOL_CALLS]",
    "```json\n",
    "\n```",
]
BITS += ["```", "`", "\n", " ", "> ", "<", "[", "]", "{", JSON_CALL, "text", TAG.replace("shell", "no"), INVOKE[:30], INVOKE[30:]]
TEXT = st.lists(st.sampled_from(BITS) | st.text(max_size=3), max_size=9).map("".join)


def cut(text: str, places: list[int]) -> list[str]:
    cuts = sorted(place % (len(text) + 1) for place in places)
    return [piece for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True) if (piece := text[begin:end])]


@given(TEXT, st.lists(st.integers(0, 10**6), max_size=9), st.sampled_from(["completed", "incomplete"]))
def test_the_same_comes_out_however_the_text_is_cut(text: str, places: list[int], end: str) -> None:
    whole = repaired(*cut(text, []), end=end)
    assert repaired(*cut(text, places), end=end) == whole
    if end == "completed":
        response = {"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}]}
        after = msgspec.json.decode(change().whole(msgspec.json.encode(response)))
        assert [meant(item) for item in after["output"]] == (whole or [""])


@given(TEXT.map(lambda text: text.replace("shell", "other")), st.lists(st.integers(0, 10**6), max_size=9))
def test_without_calls_of_offered_tools_a_text_is_identical(text: str, places: list[int]) -> None:
    assert repaired(*cut(text, places)) == ([text] if text else [])
