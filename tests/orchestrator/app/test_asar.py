"""Archives are read, and written again with other contents."""

from __future__ import annotations

import hashlib
import json
import mmap
from pathlib import Path
from typing import Any

import pytest
from asar_builder import build, hashes, header_of, wrap
from codex_shim.orchestrator.app.asar import Archive, AsarError, differing, integrity
from hypothesis import given, settings
from hypothesis import strategies as st

FILES = {
    "package.json": b'{"name":"app"}',
    "empty.txt": b"",
    "webview/assets/one.js": b"first();" * 3,
    "webview/assets/zwei-\u00fc\u2028.js": b"second();",
    "node_modules/native.node": {"size": 9, "unpacked": True, "integrity": hashes(b"elsewhere", 4 << 20)},
    "bin/tool": b"a program\n",
    "bin/current": {"link": "bin/tool"},
    "last.bin": bytes(range(256)),
}
BUILT = build(FILES, executable=("bin/tool",))


def rewritten(archive: bytes, contents: dict[str, bytes]) -> bytes:
    return b"".join(Archive(archive).rewritten(contents))


def test_everything_is_listed_and_read() -> None:
    archive = Archive(BUILT)
    assert list(archive.entries) == [
        *("package.json", "empty.txt", "webview/assets/one.js", "webview/assets/zwei-\u00fc\u2028.js"),
        *("node_modules/native.node", "bin/tool", "bin/current", "last.bin"),
    ]
    for path, content in FILES.items():
        if isinstance(content, bytes):
            assert (archive.content(path), archive.intact(path)) == (content, True)
    tool, link, native = (archive.entries[path] for path in ("bin/tool", "bin/current", "node_modules/native.node"))
    assert (tool.executable, tool.unpacked, link.link, native.unpacked, native.offset) == (True, False, "bin/tool", True, None)
    assert archive.header_hash == hashlib.sha256(header_of(BUILT)).hexdigest()
    for path in ("bin/current", "node_modules/native.node", "no/such"):
        with pytest.raises(AsarError, match="there is no file"):
            archive.content(path)


@pytest.mark.parametrize("contents", [{}, {"bin/tool": b"a program\n", "package.json": b'{"name":"app"}'}])
def test_what_does_not_change_is_written_byte_for_byte(contents: dict[str, bytes]) -> None:
    assert rewritten(BUILT, contents) == BUILT


def test_a_mapped_file_will_do(tmp_path: Path) -> None:
    (tmp_path / "app.asar").write_bytes(BUILT)
    with (tmp_path / "app.asar").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        archive = Archive(mapped)
        assert archive.content("last.bin") == bytes(range(256))
        assert b"".join(archive.rewritten({})) == BUILT


contents = st.dictionaries(
    st.sampled_from([path for path, content in FILES.items() if isinstance(content, bytes) and content]), st.binary(max_size=60)
)


@settings(max_examples=40)
@given(contents)
def test_new_contents_are_those_of_a_new_build(new: dict[str, bytes]) -> None:
    """What we write is, byte for byte, what a packer would have made of the new files."""
    assert rewritten(BUILT, new) == build(FILES | new, executable=("bin/tool",))


@settings(max_examples=40)
@given(contents)
def test_only_what_was_replaced_differs(new: dict[str, bytes]) -> None:
    before, after = Archive(BUILT), Archive(rewritten(BUILT, new))
    assert differing(before, after) == {path for path, content in new.items() if content != FILES[path]}


def test_a_gap_between_files_and_what_comes_after_them_stays() -> None:
    tree = {"files": {"a": {"size": 2, "offset": "3"}, "b": {"size": 2, "offset": "9"}}}
    built = wrap(json.dumps(tree, separators=(",", ":"))) + b"...AA....BBend"
    after = Archive(out := rewritten(built, {"a": b"12345"}))
    assert (after.content("a"), after.content("b")) == (b"12345", b"BB")
    assert out.endswith(b"...12345....BBend")
    assert "integrity" not in json.loads(header_of(out))["files"]["a"]


def test_hashes_are_of_the_whole_and_of_each_block() -> None:
    content = bytes(range(200)) * 60
    for block in (4 << 20, 4096, 12_000, 1):
        assert integrity(content[:3000], block) == hashes(content[:3000], block)
    assert len(integrity(content, 4096)["blocks"]) == 3
    assert integrity(b"") == hashes(b"", 4 << 20)
    assert len(integrity(bytes((4 << 20) + 1))["blocks"]) == 2


def test_the_size_of_the_blocks_stays_and_a_false_hash_is_noticed() -> None:
    built = build(FILES, block=16)
    after = Archive(rewritten(built, {"last.bin": bytes(40)}))
    stated = after.entries["last.bin"].integrity or {}
    assert (stated["blockSize"], len(stated["blocks"]), after.intact("last.bin")) == (16, 3, True)
    assert not Archive(built[:-1] + b"?").intact("last.bin")


def differences(change: Any) -> set[str]:
    tree = json.loads(header_of(BUILT))
    change(tree["files"])
    data = BUILT[-sum(len(content) for content in FILES.values() if isinstance(content, bytes)) :]
    return differing(Archive(BUILT), Archive(wrap(json.dumps(tree, ensure_ascii=False)) + data))


def test_flags_links_and_missing_files_are_differences() -> None:
    assert differences(lambda files: None) == set()
    assert differences(lambda files: files["bin"]["files"]["tool"].pop("executable")) == {"bin/tool"}
    assert differences(lambda files: files["bin"]["files"]["current"].update(link="last.bin")) == {"bin/current"}
    assert differences(lambda files: files.pop("last.bin")) == {"last.bin"}


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (b"", "too short"),
        (b"PK\3\4" + bytes(40), "does not begin like an archive"),
        (BUILT[:40], "in the middle of its header"),
        (BUILT[:-1], "in the middle of last.bin"),
        (wrap("{"), "not what JSON should be"),
        (wrap(b'{"files":{"\xff":{}}}'), "not what JSON should be"),
        (wrap('{"files":{}, "version":2}'), "`files` alone"),
        (wrap("[]"), "`files` alone"),
        (wrap('{"files":[]}'), "no table for the folder /"),
        (wrap('{"files":{"a":{"files":{}},"a":{"files":{}}}}'), "same name twice"),
        (wrap('{"files":{"..":{"size":0,"offset":"0"}}}'), "impossible name"),
        (wrap('{"files":{"a/b":{"size":0,"offset":"0"}}}'), "impossible name"),
        (wrap('{"files":{"a":7}}'), "what is not known here"),
        (wrap('{"files":{"a":{"size":0,"offset":"0","packed":"zstd"}}}'), "not known here: packed"),
        (wrap('{"files":{"a":{"size":-1,"offset":"0"}}}'), "no size for a"),
        (wrap('{"files":{"a":{"size":true,"offset":"0"}}}'), "no size for a"),
        (wrap('{"files":{"a":{"size":0,"offset":"-1"}}}'), "where a is"),
        (wrap('{"files":{"a":{"size":0,"offset":0}}}'), "where a is"),
        (wrap('{"files":{"a":{"size":0}}}'), "where a is"),
        (wrap('{"files":{"a":{"size":0,"offset":"0","executable":1}}}'), "neither true nor false"),
        (wrap('{"files":{"a":{"link":7}}}'), "no target for the link a"),
        (wrap('{"files":{"a":{"size":0,"offset":"0","integrity":"x"}}}'), "no table of hashes"),
        (wrap('{"files":' * 4000), "not what JSON should be"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_known_is_refused(archive: bytes, words: str) -> None:
    with pytest.raises(AsarError, match=words):
        Archive(archive)


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"a": {"size": 0, "offset": "0"}}, "a is empty"),
        ({"a": {"size": 3, "offset": "0"}, "b": {"size": 3, "offset": "2"}}, "a and b share their bytes"),
        ({"a": {"size": 3, "offset": "0", "integrity": {"algorithm": "BLAKE3"}}}, "of a kind that is not known"),
        ({"a": {"size": 3, "offset": "0", "integrity": hashes(b"abc", 4) | {"blockSize": 0}}}, "without a size"),
        ({"a": {"link": "b"}}, "there is no file a"),
    ],
)
def test_what_cannot_be_replaced_is_refused(tree: dict[str, Any], words: str) -> None:
    archive = wrap(json.dumps({"files": tree})) + b"abcdef"
    with pytest.raises(AsarError, match=words):
        rewritten(archive, {"a": b"new"})
