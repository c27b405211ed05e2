"""Documents: what is not touched stays the bytes it was."""

from __future__ import annotations

import json

import pytest
from codex_shim.stages.contract.body import Document, check_text, decode_object
from codex_shim.stages.contract.errors import HopError
from hypothesis import given
from hypothesis import strategies as st

RAW = b'{"model": "a", "z": {"b":1, "a":[1.0, 1e5,"\\u00e4"]}, "input":[ {"type":"x","odd": null} ]}'


def test_an_untouched_document_is_its_own_bytes() -> None:
    assert Document.parse(RAW).encode() is RAW


def test_setting_one_value_leaves_the_bytes_and_the_order_of_the_others() -> None:
    document = Document.parse(RAW)
    document.set("model", "b")
    assert document.encode() == b'{"model":"b","z":{"b":1, "a":[1.0, 1e5,"\\u00e4"]},"input":[ {"type":"x","odd": null} ]}'


def test_a_new_value_goes_to_the_end_and_a_dropped_one_goes() -> None:
    document = Document.parse(b'{"a":1,"b":2}')
    document.set("c", [3])
    document.drop("a")
    document.drop("never there")
    assert document.encode() == b'{"b":2,"c":[3]}'


def test_null_and_missing_are_the_default() -> None:
    document = Document.parse(b'{"a":null}')
    assert document.get("a", str, "x") == "x"
    assert document.get("b", bool, True) is True


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"[1]", "the request body must be a JSON object"),
        (b'"x"', "the request body must be a JSON object"),
        (b"{", "the request body is not valid JSON"),
        (b"", "the request body is not valid JSON"),
        (b'{"a": nope}', "the request body is not valid JSON"),
        (b"\xff\xfe", "the request body is not valid JSON"),
        (b'{"a": ' + b"[" * 100_000, "the request body is not valid JSON: it is nested too deeply"),
    ],
)
def test_what_is_no_object_is_refused_in_a_sentence(raw: bytes, sentence: str) -> None:
    with pytest.raises(HopError, match=sentence) as refusal:
        Document.parse(raw)
    assert refusal.value.failure.status == 400


def test_a_value_of_another_type_is_refused_by_name() -> None:
    with pytest.raises(HopError, match="`model`") as refusal:
        Document.parse(b'{"model": 5}').get("model", str)
    assert refusal.value.failure.param == "model"


def test_what_only_a_whole_reading_finds_is_refused_too() -> None:
    for raw, sentence in ((b'{"a": [1e999]}', "out of range"), (b'{"a": "\xff"}', "it is not UTF-8 text"), (b"[]", "object")):
        with pytest.raises(HopError, match=sentence):
            decode_object(raw)
    with pytest.raises(HopError, match="it is not UTF-8 text"):
        check_text(b'{"a": "\xff"}')
    check_text('{"ä": 1}'.encode())


def test_a_value_that_is_no_text_is_refused_by_name() -> None:
    with pytest.raises(HopError, match="`model` in the request body is not usable: it is not UTF-8 text"):
        Document.parse(b'{"model": "\xff"}').get("model", str)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), _json))
def test_a_rewritten_document_means_the_same(value: dict[str, object]) -> None:
    document = Document.parse(json.dumps(value).encode())
    document.set("model", "x")
    decoded = json.loads(document.encode())
    assert decoded == value | {"model": "x"}
    assert [name for name in decoded if name != "model"] == [name for name in value if name != "model"]
