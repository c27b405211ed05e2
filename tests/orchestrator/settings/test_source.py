from __future__ import annotations

from pathlib import Path

import pytest
from codex_shim.orchestrator.settings.problems import ConfigError
from codex_shim.orchestrator.settings.source import read_text


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa")
    assert read_text(tmp_path / "a") == "a"


def test_bytes_that_are_no_text_have_a_position_and_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("sk-SECRET\nübel ".encode() + b"\xff")
    with pytest.raises(ConfigError) as caught:
        read_text(tmp_path / "a")
    assert str(caught.value) == f"{tmp_path / 'a'}:2:6: this is not UTF-8 text; save the file as UTF-8"
    assert caught.value.__context__ is None


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(tmp_path / "a")
    assert str(caught.value) == f"{tmp_path / 'a'}: cannot read this file: no such file or directory"
