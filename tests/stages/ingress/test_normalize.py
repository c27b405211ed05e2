"""Short forms become the long form; the long form is not touched."""

from __future__ import annotations

import msgspec
import pytest
from codex_shim.stages.contract.body import Document
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.ingress.normalize import normalize


def normalized(raw: bytes) -> bytes:
    document = Document.parse(raw)
    normalize(document)
    return document.encode()


def input_of(raw: bytes) -> object:
    return msgspec.json.decode(normalized(raw))["input"]


def test_what_codex_sends_stays_the_bytes_it_was() -> None:
    message = b'{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}'
    raw = b'{"model":"m", "input":[' + message + b',{"type":"new_thing","content":"s"}]}'
    assert normalized(raw) is raw


def test_a_text_is_a_user_message() -> None:
    expected = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": 'say "hi"'}]}]
    assert input_of(rb'{"model":"m","input":"say \"hi\""}') == expected


def test_a_message_without_type_or_with_bare_text_is_written_out() -> None:
    answer = b'{"type":"message","role":"assistant","content":"b","id":"msg_1"}'
    raw = b'{"model":"m","input":[{"role":"user","content":"a"},' + answer + b',{"role":"developer","content":[]}]}'
    assert input_of(raw) == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}], "id": "msg_1"},
        {"type": "message", "role": "developer", "content": []},
    ]


def test_an_item_that_is_neither_is_left_alone() -> None:
    assert input_of(b'{"model":"m","input":[{"id":"x"},{"role":"user","content":"a"}]}') == [
        {"id": "x"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
    ]


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'{"input":"x"}', "model"),
        (b'{"model":"","input":"x"}', "model"),
        (b'{"model":7,"input":"x"}', "model"),
        (b'{"model":"m"}', "input"),
        (b'{"model":"m","input":5}', "input"),
        (b'{"model":"m","input":null}', "input"),
        (b'{"model":"m","input":["x"]}', "input"),
        (b'{"model":"m","input":{"type":"message"}}', "input"),
    ],
)
def test_what_is_missing_or_wrong_is_named(raw: bytes, field: str) -> None:
    with pytest.raises(HopError, match=f"`{field}`") as refusal:
        normalized(raw)
    assert (refusal.value.failure.status, refusal.value.failure.param) == (400, field)
