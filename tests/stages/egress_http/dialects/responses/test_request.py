"""What goes to an upstream that speaks Responses is what came, byte for byte, but for what it cannot take."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.egress_http.dialects import Target
from codex_shim.stages.egress_http.dialects.parts import NO_IMAGES
from codex_shim.stages.egress_http.dialects.responses.request import translate
from hypothesis import given
from hypothesis import strategies as st

OPENAI = Target(model="gpt-6", host="api.openai.com")
LOCAL = Target(model="qwen", host="127.0.0.1")


def sent(raw: bytes, target: Target = OPENAI) -> bytes:
    return translate(msgspec.json.decode(raw), raw, target).payload


def test_only_the_model_is_changed_and_it_stays_where_it_was() -> None:
    raw = b'{"input": [ {"type":"message","role":"user","content":"\\u00e9"} ], "model":"slug","stream":true,"top_p":1.0e0,"n":[]}'
    assert sent(raw) == (
        b'{"input":[ {"type":"message","role":"user","content":"\\u00e9"} ],"model":"gpt-6","stream":true,"top_p":1.0e0,"n":[]}'
    )


def test_one_item_that_has_to_go_leaves_the_others_as_they_are() -> None:
    foreign = b'{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"csh1.anything"}'
    kept = b'{"type":"message", "role":"user", "content":"\\u00e9"}'
    raw = b'{"model":"slug","stream":true,"input":[' + foreign + b"," + kept + b"]}"
    assert sent(raw) == b'{"model":"gpt-6","stream":true,"input":[' + kept + b"]}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)


@given(
    st.dictionaries(
        st.text(max_size=4).filter(lambda name: name not in ("model", "stream", "input", "tools")), json_values, max_size=5
    )
)
def test_fields_nobody_knows_pass(more: dict[str, Any]) -> None:
    body = {**more, "model": "slug", "stream": True, "input": [{"type": "message", "role": "user", "content": []}]}
    more.pop("max_output_tokens", None)
    payload = sent(msgspec.json.encode(body))
    assert msgspec.json.decode(payload) == {**body, "model": "gpt-6"}
    assert list(msgspec.json.decode(payload)) == list(body)


def test_the_prefix_of_a_later_request_is_the_earlier_one() -> None:
    """Twenty turns on a server for which calls are translated: what was sent once is sent in the same bytes again."""
    items: list[dict[str, Any]] = []
    before = b""
    for turn in range(20):
        items.append({"type": "message", "role": "user", "content": [{"type": "input_text", "text": f"turn {turn}"}]})
        payload = sent(msgspec.json.encode({"model": "slug", "stream": True, "input": items}), LOCAL)
        assert payload.startswith(before.removesuffix(b"]}"))
        before = payload
        items.append({"type": "custom_tool_call", "call_id": f"c{turn}", "name": "apply_patch", "input": f"*** {turn}"})
        items.append({"type": "custom_tool_call_output", "call_id": f"c{turn}", "output": "ok"})


@pytest.mark.parametrize(("target", "blob"), [(OPENAI, "csh1.damaged"), (LOCAL, "gAAAA"), (LOCAL, "csh1.damaged")])
def test_a_compaction_that_cannot_be_read_is_refused_with_a_sentence(target: Target, blob: str) -> None:
    raw = msgspec.json.encode({"model": "s", "input": [{"type": "compaction", "encrypted_content": blob}]})
    with pytest.raises(HopError, match="compacted by another service"):
        sent(raw, target)


def test_openais_own_compaction_goes_back_to_openai() -> None:
    raw = b'{"model":"s","stream":true,"input":[{"type":"compaction","id":"cmp_1","encrypted_content":"gAAAA"}]}'
    assert sent(raw) == raw.replace(b'"s"', b'"gpt-6"')


def test_reasoning_without_state_is_kept_where_the_service_stores_it() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": None}
    for store, kept in ((True, [item]), (False, [])):
        raw = msgspec.json.encode({"model": "s", "store": store, "input": [item]})
        assert msgspec.json.decode(sent(raw))["input"] == kept


@pytest.mark.parametrize(("wanted", "known", "limit"), [(9, 100, 9), (100, 9, 9), (9, None, 9), (None, 9, None), ("x", 9, "x")])
def test_a_limit_is_lowered_to_what_the_model_can_and_never_raised(wanted: Any, known: int | None, limit: Any) -> None:
    raw = msgspec.json.encode({"model": "s", "max_output_tokens": wanted, "input": "hi"})
    payload = sent(raw, msgspec.structs.replace(OPENAI, max_output_tokens=known))
    assert msgspec.json.decode(payload)["max_output_tokens"] == limit


IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA"}
SHOWN = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "look"}, IMAGE]},
    {"type": "function_call_output", "call_id": "c", "output": [IMAGE]},
]


@pytest.mark.parametrize("host", ["api.openai.com", "127.0.0.1"])
def test_a_model_that_takes_text_only_is_told_that_there_was_an_image(host: str) -> None:
    """Left by another model, or by a tool: refused, it would spoil the thread for good."""
    raw = msgspec.json.encode({"model": "s", "stream": True, "input": SHOWN})
    target = Target(model="m", host=host)
    assert msgspec.json.decode(sent(raw, target))["input"] == SHOWN
    translated = translate(msgspec.json.decode(raw), raw, msgspec.structs.replace(target, images=False))
    message, output = msgspec.json.decode(translated.payload)["input"]
    assert message["content"] == [{"type": "input_text", "text": "look"}, {"type": "input_text", "text": NO_IMAGES}]
    assert output["output"] == [{"type": "input_text", "text": NO_IMAGES}]
    assert translated.notes == ["images were left out: this model takes text only"]


def test_an_image_that_was_made_is_shown_and_not_spelled_out() -> None:
    """As text it would fill the context of the model with base64."""
    made = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "output_format": "webp", "result": "AAAA"}
    raw = msgspec.json.encode({"model": "s", "input": [made]})
    (message,) = msgspec.json.decode(sent(raw, LOCAL))["input"]
    words, image = message["content"]
    assert "ig_1" in words["text"]
    assert "AAAA" not in words["text"]
    assert image == {"type": "input_image", "image_url": "data:image/webp;base64,AAAA"}


def test_a_client_that_wants_one_object_gets_it_from_a_stream() -> None:
    assert msgspec.json.decode(sent(b'{"model":"s","stream":false,"input":"hi"}')) == {
        "model": "gpt-6",
        "stream": True,
        "input": "hi",
    }
