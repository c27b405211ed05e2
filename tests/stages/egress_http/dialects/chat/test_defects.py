"""What an earlier shim of this kind got wrong, by the numbers of its defect list, as far as it concerns this language.

D13, D14, D16 and D19 to D22 and D28 have their tests in test_reasoning.py, test_quirks.py and test_sdks.py.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.contract.events import Event, random_id
from codex_shim.stages.egress_http.dialects.base import Target
from codex_shim.stages.egress_http.dialects.chat import ChatDialect
from codex_shim.stages.egress_http.dialects.chat.request import translate

Run = Callable[..., list[Event]]
Body = dict[str, Any]

TARGET = Target(model="m")
USER = {"role": "user", "content": "go"}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Edit.", "format": {"type": "grammar", "definition": "start: x"}}
SHELL = {"type": "function", "name": "shell"}
BODY: Body = {"input": [USER], "tools": [SHELL, PATCH]}
DONE = "[DONE]"


def stream(*frames: Any) -> list[bytes]:
    return [f"data: {frame if isinstance(frame, str) else json.dumps(frame)}\n\n".encode() for frame in frames]


def delta(**fields: Any) -> Body:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def reason(word: str, **more: Any) -> Body:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": word}], **more}


def call(name: Any = "shell", arguments: Any = "{}", **more: Any) -> Body:
    return {"function": {"name": name, "arguments": arguments}, **more}


def ended(run: Run, *frames: Any, body: Body = BODY) -> Body:
    """The response, as the last event has it."""
    return run(body, stream(*frames), TARGET)[-1]["response"]


def items(run: Run, *frames: Any, body: Body = BODY) -> list[Body]:
    return ended(run, *frames, reason("stop"), DONE, body=body)["output"]


def messages(*input: Body) -> list[Body]:
    return translate({"input": [USER, *input]}, TARGET).payload["messages"]


D1 = [
    ("custom_tool_call", {"call_id": "a", "name": "apply_patch", "input": "*** Begin"}),
    ("local_shell_call", {"call_id": "a", "action": {"command": ["*** Begin"]}}),
    ("tool_search_call", {"call_id": "a", "arguments": {"query": "*** Begin"}}),
    ("web_search_call", {"action": {"query": "*** Begin"}}),
    ("mcp_call", {"arguments": "*** Begin"}),
    ("agent_message", {"author": "a", "content": [{"type": "input_text", "text": "*** Begin"}]}),
    ("something_new", {"text": "*** Begin"}),
]


@pytest.mark.parametrize(("type", "fields"), D1)
def test_every_item_of_the_history_reaches_the_model(type: str, fields: Body):  # D1
    assert "*** Begin" in json.dumps(messages({"type": type, **fields}))


def test_a_picture_among_the_models_own_words_does_not_take_them_along():  # D1
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA"}
    item = {"role": "assistant", "content": [{"type": "output_text", "text": "mine"}, image]}
    assert messages(item, USER)[1] == {"role": "assistant", "content": "mine"}
    assert translate({"input": [USER, item, USER]}, TARGET).notes == [
        "images in the model's own messages were left out: there is no place for them"
    ]


def test_an_output_never_stands_without_its_call():  # D1
    first, last = messages({"type": "local_shell_call_output", "call_id": "gone", "output": "text"})
    assert (first["role"], last["role"]) == ("user", "user")
    assert "text" in json.dumps(last)


def test_a_compaction_nobody_can_read_is_refused_and_not_forgotten():  # D1
    with pytest.raises(HopError, match="compacted"):
        messages({"type": "compaction", "encrypted_content": "gAAA"})


def test_a_patch_comes_back_as_raw_text(run: Run):  # D2
    patch = "*** Begin Patch\n+é\n"
    events = run(BODY, stream(delta(tool_calls=[call("apply_patch", json.dumps({"input": patch}))]), reason("stop"), DONE), TARGET)
    item = events[-1]["response"]["output"][0]
    assert (item["type"], item["input"]) == ("custom_tool_call", patch)
    assert "arguments" not in item
    assert "".join(event["delta"] for event in events if event["type"] == "response.custom_tool_call_input.delta") == patch
    offered = translate(BODY, TARGET).payload["tools"][1]["function"]
    assert "start: x" in offered["description"]
    assert set(offered["parameters"]["properties"]) == {"input"}


@pytest.mark.parametrize("error", [{"error": {"message": "overloaded", "code": 503}}, {"error": "overloaded"}])
def test_an_error_in_mid_stream_is_a_failure(run: Run, error: Body):  # D3
    response = ended(run, delta(content="half"), error)
    assert (response["status"], response["output"]) == ("failed", [])
    assert "overloaded" in response["error"]["message"]


CUT = delta(tool_calls=[call(arguments='{"cmd":"rm -rf build')])


@pytest.mark.parametrize("frames", [[delta(content="half")], [CUT], [CUT, DONE], []])
def test_a_stream_that_just_ends_is_a_failure(run: Run, frames: list[Any]):  # D4
    response = ended(run, *frames)
    assert (response["status"], response["error"]["code"], response["output"]) == ("failed", "server_error", [])


def test_a_stop_before_the_end_is_said(run: Run):  # D5
    response = ended(run, delta(content="half"), reason("length"), DONE)
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    response = ended(run, CUT, reason("length"), DONE)
    assert (response["status"], response["output"]) == ("incomplete", [])
    response = ended(run, delta(content="half"), reason("content_filter"), DONE)
    assert (response["status"], response["error"]["code"]) == ("failed", "content_policy_violation")
    assert items(run, delta(refusal="I will not."))[0]["content"][0]["text"] == "I will not."


def test_usage_is_asked_for_and_awaited(run: Run):  # D6
    assert translate(BODY, TARGET).payload["stream_options"] == {"include_usage": True}
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    assert ended(run, delta(content="x"), reason("stop"), usage, DONE)["usage"]["total_tokens"] == 7


@pytest.mark.parametrize("raw", [None, {"prompt_tokens": 5, "prompt_tokens_details": {"audio_tokens": 0}}])
def test_usage_always_has_all_its_fields(run: Run, raw: Any):  # D7
    usage = ended(run, delta(content="x"), reason("stop", usage=raw), DONE)["usage"]
    assert usage["input_tokens_details"]["cached_tokens"] == 0
    assert usage["output_tokens_details"]["reasoning_tokens"] == 0
    assert all(isinstance(usage[name], int) for name in ("input_tokens", "output_tokens", "total_tokens"))


def test_calls_without_an_index_are_told_apart(run: Run):  # D9
    both = [call("shell", '{"a":1}', id="a"), call("read", '{"b":2}', id="b")]
    for index in ({}, {"index": None}, {"index": 0}):
        first, second = ({**each, **index} for each in both)
        found = items(run, delta(tool_calls=[first]), delta(tool_calls=[second]))
        assert [(item["name"], item["arguments"]) for item in found] == [("shell", '{"a":1}'), ("read", '{"b":2}')]


def test_odd_forms_are_read(run: Run):  # D10
    assert items(run, delta(tool_calls=[call(index=None)]))[0]["name"] == "shell"
    assert items(run, delta(content=[{"type": "text", "text": "a"}]))[0]["content"][0]["text"] == "a"
    assert items(run, delta(content="a", tool_calls=None, function_call=None))[0]["type"] == "message"


def test_a_name_that_is_repeated_is_one_name(run: Run):  # D11
    pieces = [delta(tool_calls=[call("shell", piece, index=place, id=id)]) for place, id in ((0, "a"), (1, "b")) for piece in "{}"]
    found = items(run, *pieces)
    assert [(item["call_id"], item["name"], item["arguments"]) for item in found] == [("a", "shell", "{}"), ("b", "shell", "{}")]


def test_text_behind_a_call_is_a_message_of_its_own(run: Run):  # D12
    found = items(run, delta(content="a"), delta(tool_calls=[call()]), delta(content="b"))
    assert [item["type"] for item in found] == ["message", "function_call", "message"]
    assert found[2]["content"][0]["text"] == "b"


def test_names_come_back_as_the_client_knows_them(run: Run):  # D15
    inner = {"type": "function", "name": "issue"}
    tools = [{"type": "namespace", "name": "mcp__github", "tools": [inner]}, {"type": "function", "name": "my.tool/v1"}]
    body = {"input": [USER], "tools": [*tools, {"type": "tool_search", "execution": "client"}]}
    names = [tool["function"]["name"] for tool in translate(body, TARGET).payload["tools"]]
    assert names == ["mcp__github__issue", "my_tool_v1", "tool_search"]
    calls = [call(name, index=place) for place, name in enumerate(names)]
    found = items(run, delta(tool_calls=calls), body=body)
    assert [(item["type"], item.get("namespace"), item.get("name")) for item in found] == [
        ("function_call", "mcp__github", "issue"),
        ("function_call", None, "my.tool/v1"),
        ("tool_search_call", None, None),
    ]


def test_images_of_results_stand_behind_all_results():  # D17
    calls = [{"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"} for id in ("a", "b")]
    image = [{"type": "input_image", "image_url": "data:image/png;base64,AA"}]
    outputs = [{"type": "function_call_output", "call_id": id, "output": out} for id, out in (("a", image), ("b", "text"))]
    assert [message["role"] for message in messages(*calls, *outputs)] == ["user", "assistant", "tool", "tool", "user"]


def test_what_leans_on_stored_responses_is_refused():  # D24
    with pytest.raises(HopError, match="previous_response_id"):
        translate({**BODY, "previous_response_id": "resp_1"}, TARGET)


@pytest.mark.parametrize("part", [{"type": "input_file", "file_id": "f"}, {"type": "input_audio"}])
def test_files_and_audio_are_not_dropped(part: Body):  # D25
    with pytest.raises(HopError, match="cannot be given"):
        messages({"role": "user", "content": [part]})
    text = {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,aGVsbG8="}
    assert "hello" in json.dumps(messages({"role": "user", "content": [text]}))


def test_ids_are_unique():  # D27
    assert len({random_id("resp") for _ in range(1000)}) == 1000


def test_how_long_to_wait_is_handed_on():  # D30
    failure = ChatDialect().read_error(429, b'{"error": {"message": "slow down"}}', "7")
    assert (failure.code, failure.retry_after) == ("rate_limit_exceeded", 7)
