from codex_shim.stages.contract.notes import Notes


def test_a_note_is_taken_once():
    notes = Notes()
    for sentence in ("one", "two", "one"):
        notes.add(sentence)
    assert notes.all() == ["one", "two"]
