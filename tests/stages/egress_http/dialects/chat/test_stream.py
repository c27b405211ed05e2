"""Any sequence of chunks a server might send, however odd, becomes one well-formed response."""

import json
from collections.abc import Callable
from typing import Any

from codex_shim.stages.contract.events import Event
from codex_shim.stages.contract.sse import encode_events
from hypothesis import given, settings
from hypothesis import strategies as st

Run = Callable[..., list[Event]]

BODY = {
    "input": [{"role": "user", "content": "hi"}],
    "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}, {"type": "tool_search"}],
}

texts = st.sampled_from(["", "a", "é😀", "<think>", "</think>", " \n", None, [{"type": "text", "text": "p"}]])
pieces = st.sampled_from(["", "{", "}", "{}", '{"input": "', 'x\\n"', '"}', "\\ud8", None, {"input": "y"}])
calls = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "index": st.sampled_from([0, 1, 2, None, "0", 0.0]),
            "id": st.sampled_from(["a", "b", "", None, 3]),
            "function": st.fixed_dictionaries(
                {}, optional={"name": st.sampled_from(["f", "c", "tool_search", "zzz", "", None]), "arguments": pieces}
            )
            | st.none(),
        },
    ),
    max_size=2,
)
deltas = st.fixed_dictionaries(
    {},
    optional={"content": texts, "reasoning_content": texts, "reasoning": texts, "refusal": texts, "tool_calls": calls | st.none()},
)
reasons = st.sampled_from([None, None, None, None, "", "stop", "tool_calls", "length", "content_filter", "error"])
choices = st.fixed_dictionaries({"index": st.just(0), "delta": deltas | st.none(), "finish_reason": reasons})
chunks = st.one_of(
    st.builds(lambda choice: {"choices": [choice]}, choices),
    st.builds(lambda choice: {"choices": [choice]}, choices),
    st.builds(lambda message: {"choices": [{"message": message}]}, deltas),
    st.sampled_from(
        [
            {"choices": [], "usage": {"prompt_tokens": 1}},
            {"choices": None},
            {"error": {"message": "x"}},
            {"choices": [{"error": "y"}]},
            {"data": {"choices": [{"delta": {"content": "w"}}]}},
            {"choices": [{"delta": {"content": "\ud83d"}}]},
            {"choices": [{"delta": {"content": "\ude00"}}]},
        ]
    ),
)
frames = st.one_of(*[chunks] * 12, st.sampled_from(["[DONE]", "nonsense", "", "5"]))


def encode(frame: Any) -> bytes:
    return b"data: " + (frame if isinstance(frame, str) else json.dumps(frame)).encode() + b"\n\n"


@settings(max_examples=80, deadline=None)
@given(st.lists(frames, max_size=12), st.booleans(), st.integers(1, 40))
def test_one_well_formed_response_however_it_is_cut(run: Run, sent: list[Any], proper: bool, size: int):
    upstream = b"".join(
        encode(frame) for frame in [*sent, *([{"choices": [{"finish_reason": "stop"}]}, "[DONE]"] if proper else [])]
    )
    events = run(BODY, [upstream])
    assert encode_events(events)
    assert run(BODY, [upstream[place : place + size] for place in range(0, len(upstream), size)]) == events


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=8))
def test_bytes_of_any_kind_end_in_a_failure(run: Run, sent: list[bytes]):
    assert run(BODY, sent)[-1]["type"] == "response.failed"


def call(arguments: str) -> bytes:
    return encode(
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": arguments}}]}}]}
    )


def test_a_call_is_not_done_before_the_stream_has_proved_that_it_is_whole(run: Run):
    """Arguments that happen to be whole JSON are no proof: more may come."""
    events = run(BODY, [call('{"a":1}'), encode({"choices": [{"delta": {"content": "x"}}]})])
    assert "response.output_item.done" not in [event["type"] for event in events]


def test_text_goes_out_at_once(builder: Any):
    from codex_shim.stages.contract.sse import Frame
    from codex_shim.stages.egress_http.dialects import DIALECTS, Target

    translator = DIALECTS["chat"].prepare(BODY, Target(model="m"), builder).translator
    builder.start()
    events = translator.feed(Frame(b"", b'{"choices":[{"delta":{"content":"now"}}]}'))
    assert [event.get("delta") for event in events if isinstance(event, dict)] == [None, None, "now"]
