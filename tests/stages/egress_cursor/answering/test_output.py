"""The bytes of standard output as events, however they are cut and whatever is among them."""

from __future__ import annotations

import json

from agent_lines import delta, echo, init, line, result, snapshot, tool_ended, tool_started
from codex_shim.stages.egress_cursor.answering.agent_events import AgentError, AgentEvent, Text, Thinking, ToolEnded, ToolStarted
from codex_shim.stages.egress_cursor.answering.output import AgentOutput
from hypothesis import given
from hypothesis import strategies as st


def read(*chunks: bytes, line_limit: int = 1 << 20) -> tuple[list[AgentEvent], dict[str, int]]:
    output = AgentOutput(line_limit)
    events = [event for chunk in chunks for event in output.feed(chunk)]
    return [*events, *output.finish()], output.counts


def text_in(events: list[AgentEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def test_characters_of_many_bytes_are_never_split() -> None:
    """D47: 15,000 characters, in pieces of 4 KiB and of 1 byte."""
    text = "äß€😀漢" * 3000
    data = init() + delta(text) + snapshot(text) + result(text)
    for size in (1, 4096):
        events, counts = read(*(data[at : at + size] for at in range(0, len(data), size)))
        assert text_in(events) == text
        assert counts == {}


def test_the_echo_of_the_prompt_is_neither_text_nor_decoded() -> None:
    broken = echo("never mind").replace(b"never", b"n\xffver")
    events, counts = read(init() + echo("x" * 300_000) + broken + result("Hi."))
    assert text_in(events) == "Hi."
    assert counts == {"prompts": 2}


def test_a_line_of_megabytes_is_one_event() -> None:
    text = "y" * 3_000_000
    data = delta(text)
    events, _ = read(*(data[at : at + 65_536] for at in range(0, len(data), 65_536)), line_limit=1 << 22)
    assert text_in(events) == text


def test_a_line_beyond_the_limit_is_counted_and_the_next_one_read() -> None:
    events, counts = read(delta("x" * 2000), delta("Hi."), line_limit=1000)
    assert text_in(events) == "Hi."
    assert counts == {"too_long": 1}


def test_bytes_that_are_no_text_and_half_characters_cost_a_character_not_the_line() -> None:
    half = b'{"type":"thinking","subtype":"delta","text":"a\\ud83d"}\n'
    events, counts = read(delta("a?b").replace(b"?", b"\xff") + half)
    assert text_in(events) == "a\ufffdb"
    assert Thinking("a\ufffd") in events
    assert counts == {}


def test_a_tool_keeps_its_name_where_its_end_does_not_tell_it() -> None:
    end = line(type="tool_call", subtype="completed", call_id="c1\nfc_2", tool_call={"x": {}})
    events, _ = read(tool_started("multiEdit", "c1\nfc_1", path="a.py"), end)
    assert events == [
        ToolStarted(call_id="c1", name="multiEdit", about="a.py"),
        ToolEnded(call_id="c1", name="multiEdit", outcome="error"),
    ]


def test_the_ends_of_tools() -> None:
    ends = {"success": "success", "rejected": "rejected", "permissionDenied": "rejected", "fileNotFound": "error"}
    for end, outcome in ends.items():
        assert read(tool_ended("edit", end))[0] == [ToolEnded(call_id="call-1", name="edit", outcome=outcome)]  # type: ignore[arg-type]
    assert read(tool_ended("shell", "timeout"))[0] == [ToolEnded(call_id="call-1", name="shell", outcome="success")]


def test_tools_in_the_shape_of_functions_are_known_too() -> None:
    call = {"function": {"name": "edit_file", "arguments": "{}"}}
    events, _ = read(line(type="tool_call", subtype="started", call_id="c", tool_call=call))
    assert events == [ToolStarted(call_id="c", name="edit_file")]


def test_what_a_tool_works_on_is_one_short_line() -> None:
    events, _ = read(tool_started("shell", command="echo 'a\nb'" + "x" * 500))
    assert isinstance(events[0], ToolStarted)
    assert events[0].about.startswith("echo 'a b'x")
    assert len(events[0].about) == 80


def test_errors_told_as_events() -> None:
    told = [line(type="error", message="a"), line(type="error", error={"message": "b"}), line(type="system", subtype="error")]
    assert read(*told)[0] == [AgentError("a"), AgentError("b"), AgentError("")]


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3))
types = st.sampled_from(
    ["system", "user", "thinking", "assistant", "tool_call", "connection", "retry", "interaction_query", "result", "error", "new"]
)
subtypes = st.sampled_from(["init", "delta", "completed", "started", "error", "success"])
fields = st.sampled_from(
    ["message", "tool_call", "call_id", "text", "timestamp_ms", "model_call_id", "result", "usage", "is_error", "attempt"]
)
odd_lines = st.builds(
    lambda type, subtype, more: json.dumps({**more, "type": type, "subtype": subtype}).encode(),
    types | values,
    subtypes | values,
    st.dictionaries(fields, values, max_size=4),
)
good_lines = st.sampled_from(
    [delta("Hel"), delta("é😀"), snapshot("Hel"), tool_started("read", path="x"), tool_ended("read"), init()]
)


@given(st.lists(odd_lines | good_lines | st.binary(max_size=20), max_size=10), st.integers(1, 60))
def test_nothing_raises_and_every_cut_gives_the_same(lines: list[bytes], size: int) -> None:
    data = b"\n".join(lines)
    assert read(*(data[at : at + size] for at in range(0, len(data), size))) == read(data)


segments = st.lists(st.lists(st.text("#. a\n😀", min_size=1, max_size=4), min_size=1, max_size=5), min_size=1, max_size=4)


@given(segments, st.booleans())
def test_every_character_comes_once(said: list[list[str]], late: bool) -> None:
    """D46: any deltas, each segment told again before or behind the start of its tool, all of it told again at the end."""
    data = init()
    for deltas in said[:-1]:
        whole = snapshot("".join(deltas), before_tool=True)
        started = tool_started("read", path="x")
        data += b"".join(delta(piece) for piece in deltas) + (started + whole if late else whole + started) + tool_ended("read")
    data += b"".join(delta(piece) for piece in said[-1]) + snapshot("".join(said[-1]))
    whole_text = "".join("".join(deltas) for deltas in said)
    events, counts = read(data + result(whole_text))
    assert text_in(events) == whole_text
    assert counts == {}
