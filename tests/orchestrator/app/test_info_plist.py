"""Info.plist, and the digest in Electron's framework."""

from __future__ import annotations

import datetime
import hashlib
import plistlib
from typing import Any

import pytest
from codex_shim.orchestrator.app import digest, info_plist
from codex_shim.orchestrator.app.digest import SENTINEL, DigestError
from codex_shim.orchestrator.app.info_plist import PlistError

TABLE: dict[str, Any] = {
    "CFBundleShortVersionString": "26.810.4",
    "CFBundleIdentifier": "com.openai.codex",
    "ElectronAsarIntegrity": {
        "Resources/app.asar": {"algorithm": "SHA256", "hash": "aa"},
        "Resources/b.asar": {"algorithm": "SHA256", "hash": "bb"},
    },
    "When": datetime.datetime(2026, 8, 10),
    "Blob": b"\0\1",
    "Aside": [1, 2.5, True, {"z": "ü", "a": ""}],
}


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_the_hash_is_set_and_everything_else_stays(form: plistlib.PlistFormat) -> None:
    before = plistlib.dumps(TABLE, fmt=form, sort_keys=False)
    assert info_plist.read(before).header_hash == "aa"
    after = info_plist.with_hash(before, "cc")
    assert after.startswith(b"bplist00") == (form is plistlib.FMT_BINARY)
    assert after == before.replace(b"aa", b"cc") or form is plistlib.FMT_BINARY
    changed = {**TABLE["ElectronAsarIntegrity"], "Resources/app.asar": {"algorithm": "SHA256", "hash": "cc"}}
    assert plistlib.loads(after) == {**TABLE, "ElectronAsarIntegrity": changed}
    assert list(plistlib.loads(after)) == list(TABLE)
    info = info_plist.read(after)
    assert (info.identifier, info.version, info.header_hash) == ("com.openai.codex", "26.810.4", "cc")
    assert info_plist.with_hash(after, "cc") == after


def test_an_app_that_compares_nothing_is_left_so() -> None:
    before = plistlib.dumps({"CFBundleIdentifier": "x"})
    assert (info_plist.with_hash(before, "cc"), info_plist.read(before).version) == (before, "unknown")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"<plist", "cannot be read"),
        (b"bplist00 broken", "cannot be read"),
        (plistlib.dumps([]), "no table"),
        (plistlib.dumps({info_plist.KEY: "x"}), "not what is known here"),
        (plistlib.dumps({info_plist.KEY: {info_plist.ARCHIVE: {"algorithm": "SHA512", "hash": ""}}}), "not what is known here"),
        (plistlib.dumps({info_plist.KEY: {info_plist.ARCHIVE: {"hash": ""}}}), "not what is known here"),
        (plistlib.dumps({info_plist.KEY: {"Resources/x.asar": {"algorithm": "SHA256", "hash": ""}}}), "does not name"),
    ],
)
def test_what_is_not_known_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(PlistError, match=words):
        info_plist.with_hash(content, "cc")


def program(*digests: bytes) -> bytes:
    return b"\xcf\xfa\xed\xfe".join(b"code" + SENTINEL + each + b"code" for each in digests) or b"code"


def test_digests_in_use_are_set_and_those_that_are_not_stay() -> None:
    table = TABLE["ElectronAsarIntegrity"]
    wanted = hashlib.sha256(b"Resources/app.asarSHA256aaResources/b.asarSHA256bb").digest()
    used, unused = b"\1\1" + bytes(32), bytes(34)
    both = program(used, used)
    edits = digest.edits(both, table)
    assert [value for _, value in edits] == [wanted, wanted]
    assert all(both[at - 2 : at + 32] == used for at, _ in edits)
    assert not digest.fits(both, table)
    assert digest.fits(program(b"\1\1" + wanted), table)
    for other in (program(unused), program()):
        assert (digest.edits(other, table), digest.fits(other, table)) == ([], True)
    with pytest.raises(DigestError, match="version 2"):
        digest.edits(program(b"\1\2" + bytes(32)), table)
