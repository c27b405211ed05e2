"""Nobody waits for a file of another program's, and none fills our memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from codex_shim.stages.contract import foreign_file
from systems import needs_posix


@needs_posix
def test_a_file_is_read_whole_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "auth.json"
    path.write_bytes(b"\r\n1234")
    link = tmp_path / "link"
    link.symlink_to(path)
    assert foreign_file.read(path, 6) == foreign_file.read(link, 6) == b"\r\n1234"
    with pytest.raises(OSError, match="it is larger than 5 bytes"):
        foreign_file.read(path, 5)
    with pytest.raises(FileNotFoundError):
        foreign_file.read(tmp_path / "missing", 5)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


@needs_posix
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, endless])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "auth.json")
    with pytest.raises(OSError, match=r"it is not a file|Is a directory"):
        foreign_file.read(tmp_path / "auth.json", 100)
