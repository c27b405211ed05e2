"""The folder that a conversation names, found without decoding it."""

from __future__ import annotations

import json

import pytest
from codex_shim.stages.contract import project


def body(text: str) -> bytes:
    content = [{"type": "input_text", "text": text}]
    return json.dumps({"model": "m", "input": [{"type": "message", "role": "user", "content": content}]}).encode()


@pytest.mark.parametrize("folder", ["/home/me/work/shop", 'C:\\Users\\me\\Ärger "x"', "/with space/日本"])
def test_the_opening_says_where_codex_works(folder: str) -> None:
    assert project.of(body(f"<environment_context>\n  <cwd>{folder}</cwd>\n</environment_context>")) == folder


@pytest.mark.parametrize("text", ["hello", "<cwd>never closed", f"<cwd>{'x' * 5000}</cwd>", "</cwd><cwd>"])
def test_what_names_no_folder_has_none(text: str) -> None:
    assert project.of(body(text)) == ""
    assert project.of(b'{"a": "<cwd>\\q</cwd>"}') == ""
