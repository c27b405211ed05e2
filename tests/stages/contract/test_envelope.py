"""The envelope: what is put in comes out, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.envelope import PREFIX, Envelope, is_ours, seal, unseal
from hypothesis import given
from hypothesis import strategies as st

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(kind=st.text(), provider=st.text(), model=st.text(), data=_json)
def test_what_is_sealed_is_unsealed_and_the_text_is_always_the_same(kind: str, provider: str, model: str, data: object) -> None:
    envelope = Envelope(kind=kind, provider=provider, model=model, data=data)
    assert unseal(seal(envelope)) == envelope
    assert seal(envelope) == seal(envelope)


def test_a_long_state_is_compressed() -> None:
    assert len(seal(Envelope(kind="x", data="think " * 10_000))) < 1000


@given(st.text() | st.none() | st.integers() | st.text().map(lambda text: PREFIX + text))
def test_nothing_else_is_taken_for_one_and_nothing_raises(text: object) -> None:
    assert unseal(text) is None


@pytest.mark.parametrize(("text", "ours"), [("csh1.abc", True), ("csh9.later", True), ("gAAAA", False), (None, False), (5, False)])
def test_a_later_version_is_still_ours(text: object, ours: bool) -> None:
    assert is_ours(text) == ours
