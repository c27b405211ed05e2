"""What is kept of standard error."""

from __future__ import annotations

from codex_shim.stages.egress_cursor.running.pipes import STDERR_KEPT, Tail


def test_only_whole_lines_of_the_end_are_kept() -> None:
    """Builds that repeat their events there begin with the prompt: half of such a line could not be told from an error."""
    tail = Tail()
    tail.data_received(b'{"type":"user","text":"' + b"the prompt " * STDERR_KEPT)
    assert tail.text() == ""
    tail.data_received(b'"}\nError: no room\n')
    assert tail.text() == "Error: no room\n"


def test_a_short_output_is_kept_whole() -> None:
    tail = Tail()
    tail.data_received("Fehler: ü".encode()[:-1])
    tail.data_received("Fehler: ü".encode()[-1:])
    assert tail.text() == "Fehler: ü"
