from typing import get_args

from codex_shim.stages.egress_http.config import DialectName
from codex_shim.stages.egress_http.dialects import DIALECTS
from codex_shim.stages.egress_http.dialects.base import Notes


def test_every_dialect_a_row_may_name_is_there():
    assert set(DIALECTS) == set(get_args(DialectName))


def test_a_note_is_taken_once():
    notes = Notes()
    for sentence in ("one", "two", "one"):
        notes.add(sentence)
    assert notes.all() == ["one", "two"]
