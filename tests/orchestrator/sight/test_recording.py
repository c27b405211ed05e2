"""The file of a recording: what goes in comes out, and what is none is told in a sentence."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from codex_shim.orchestrator.settings.problems import ConfigError
from codex_shim.orchestrator.sight.crossing import Crossing
from codex_shim.orchestrator.sight.recorder import Recorder, load
from codex_shim.orchestrator.sight.recording import first_line, line, read
from hypothesis import given
from hypothesis import strategies as st
from systems import needs_modes

TEXTS = st.text(max_size=20)
CROSSINGS = st.builds(
    Crossing,
    hop=st.sampled_from(["a>b", "b>c"]),
    id=TEXTS,
    ts=st.floats(0, 2e9),
    headers=st.dictionaries(TEXTS, TEXTS, max_size=2),
    body=st.none() | TEXTS,
    status=st.none() | st.integers(100, 599),
    answer=st.lists(st.tuples(st.floats(0, 1e6), TEXTS), max_size=3),
)


@given(st.lists(CROSSINGS, max_size=4))
def test_what_is_written_is_read_again(exchanges: list[Crossing]) -> None:
    recording = read([first_line(["b>c", "a>b"], 1.5), *(line(each) for each in exchanges)], "f")
    assert recording.exchanges == exchanges
    assert (recording.header.version, recording.header.made, recording.cut) == (1, 1.5, False)
    assert recording.hops == [hop for hop in ("b>c", "a>b") if any(each.hop == hop for each in exchanges)]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "f:1:1: this is no recording; `codex-shim record --out FILE` makes one"),
        ([b"hello\n"], "f:1:1: this is no recording"),
        ([b'{"recording":"other","version":1}\n'], "f:1:1: this is no recording"),
        ([b'{"recording":"codex-shim","version":2}\n'], "f:1:1: this recording has version 2, and 1 is the newest known here"),
        ([first_line([], 0), b"{}\n", b'{"hop":"a>b","id":"x"}\n', b"no\n"], "f:2:1: this is no exchange of a recording"),
    ],
)
def test_what_is_no_recording_is_told_with_its_line(lines: list[bytes], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(lines, "f")
    assert str(caught.value.problems[0]).startswith(problem)
    assert len(caught.value.problems) == (2 if len(lines) > 2 else 1)


def test_what_a_later_version_adds_is_passed_over_and_a_line_that_was_cut_is_left_out() -> None:
    known = line(Crossing(hop="a>b", id="x"))
    more = known.replace(b'"id":', b'"mood":"fine","id":')
    recording = read([first_line(["a>b"], 0), more, known[:-10]], "f")
    assert ([each.id for each in recording.exchanges], recording.cut) == (["x"], True)
    assert not read([first_line(["a>b"], 0), known[:-1]], "f").cut, "only its line feed is missing"


@needs_modes
def test_a_recording_is_private_and_replaces_nothing_unasked(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with Recorder(path, ["a>b"], 1.0, replace=False) as recorder:
        recorder.write(Crossing(hop="a>b", id="x"))
        assert [each.id for each in load(path).exchanges] == ["x"], "it is on the disk at once"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (recorder.count, recorder.size) == (1, path.stat().st_size)
    with pytest.raises(FileExistsError):
        Recorder(path, [], 2.0, replace=False)
    path.chmod(0o644)
    with Recorder(path, ["a>b"], 2.0, replace=True):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path).exchanges == []
