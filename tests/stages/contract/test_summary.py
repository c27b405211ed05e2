"""The summary of a conversation as an item: what is put in comes out, and nobody else's compaction is taken for ours."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract import summary
from codex_shim.stages.contract.envelope import Envelope, seal
from hypothesis import given
from hypothesis import strategies as st


@given(st.text(max_size=2000))
def test_what_is_put_in_comes_out_and_the_content_is_always_the_same(text: str) -> None:
    item = summary.item(text, "cmp_1")
    assert summary.text_of(item) == text
    assert item == summary.item(text, "cmp_1")
    assert summary.as_message(text)["content"][0]["text"].endswith(text)


@pytest.mark.parametrize("type", ["compaction", "compaction_summary", "context_compaction"])
def test_codex_has_several_names_for_the_item(type: str) -> None:
    assert summary.text_of({**summary.item("so far", "cmp_1"), "type": type}) == "so far"


@pytest.mark.parametrize(
    "item",
    [
        {"type": "compaction", "encrypted_content": "gAAAAAB"},
        {"type": "compaction", "encrypted_content": "csh1.damaged"},
        {"type": "compaction", "encrypted_content": None},
        {"type": "compaction", "encrypted_content": seal(Envelope(kind="gemini", data="x"))},
        {"type": "compaction", "encrypted_content": seal(Envelope(kind="summary", data=["x"]))},
        {**summary.item("so far", "rs_1"), "type": "reasoning"},
        {"type": ["compaction"]},
        {},
        None,
        "compaction",
    ],
)
def test_everything_else_is_none_of_ours(item: object) -> None:
    assert summary.text_of(item) is None


@pytest.mark.parametrize(
    ("input", "asked"),
    [
        ([{"type": "message"}, {"type": "compaction_trigger"}], True),
        ([{"type": "compaction_trigger"}, {"type": "message"}], False),
        ([], False),
        ("compaction_trigger", False),
        (None, False),
    ],
)
def test_a_compaction_is_asked_for_by_the_last_item(input: object, asked: bool) -> None:
    assert summary.is_asked({"input": input}) is asked
