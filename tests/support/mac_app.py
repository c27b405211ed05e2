"""A Codex Desktop on the disk, small and whole, and stand-ins for the programs of macOS that work on it."""

from __future__ import annotations

import hashlib
import plistlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import codex_pages
from asar_builder import build, hashes, header_of
from codex_shim.orchestrator.app.digest import SENTINEL
from codex_shim.orchestrator.app.tools import Done

UNPACKED = b"native code"
OTHERS = {
    "package.json": b'{"name":"codex","main":"main.js"}',
    "native.node": {"size": len(UNPACKED), "unpacked": True, "integrity": hashes(UNPACKED, 4 << 20)},
    "webview/index.html": b"<!doctype html>",
    "webview/assets/style.css": b"useHiddenModels:{}",
}


def make_app(
    path: Path,
    pages: dict[str, bytes] | None = None,
    version: str = "26.810.4",
    identifier: str = "com.openai.codex",
    form: plistlib.PlistFormat = plistlib.FMT_XML,
) -> Path:
    """With links as a framework has them, a program with Electron's digest in use, and a signature of the maker."""
    contents = path / "Contents"
    archive = build({**OTHERS, **(codex_pages.NEW if pages is None else pages)})
    table = {"Resources/app.asar": {"algorithm": "SHA256", "hash": hashlib.sha256(header_of(archive)).hexdigest()}}
    info = {"CFBundleIdentifier": identifier, "CFBundleShortVersionString": version, "ElectronAsarIntegrity": table}
    write(contents / "Resources" / "app.asar", archive)
    write(contents / "Resources" / "app.asar.unpacked" / "native.node", UNPACKED)
    write(contents / "Info.plist", plistlib.dumps(info, fmt=form, sort_keys=False))
    write(contents / "MacOS" / "Codex", b"\xcf\xfa\xed\xfe main", 0o755)
    write(contents / "_CodeSignature" / "CodeResources", b"the maker's")
    framework = contents / "Frameworks" / "Electron Framework.framework"
    write(framework / "Versions" / "A" / "Electron Framework", b"code" + SENTINEL + b"\1\1" + digest_of(table) + b"code", 0o755)
    (framework / "Versions" / "Current").symlink_to("A")
    (framework / "Electron Framework").symlink_to("Versions/Current/Electron Framework")
    return path


def digest_of(table: dict[str, Any]) -> bytes:
    return hashlib.sha256("".join(key + table[key]["algorithm"] + table[key]["hash"] for key in sorted(table)).encode()).digest()


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def picture(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """All that is in a folder: for each path its mode and its content, or where it leads."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = (0, str(path.readlink()))
        else:
            found[name] = (path.stat().st_mode, path.read_bytes() if path.is_file() else "")
    return found


class FakeMac:
    """As the `run` of `Tools`. `fails` names a program, or `codesign --verify`; `at` is called with each before it works."""

    def __init__(self) -> None:
        self.listing = "    1 /sbin/launchd\n"
        self.fails = ""
        self.at: Callable[[str], None] = lambda command: None
        self.calls: list[list[str]] = []

    def __call__(self, words: Sequence[str]) -> Done:
        self.calls.append([*words])
        name = Path(words[0]).name
        command = f"{name} {'--verify' if '--verify' in words else '--sign'}" if name == "codesign" else name
        self.at(command)
        if command == self.fails:
            return Done(1, f"working …\n{command}: no such luck\n")
        if command == "ditto":
            shutil.copytree(words[1], words[2], symlinks=True)
        elif command == "codesign --sign":
            (Path(words[-1]) / "Contents" / "_CodeSignature" / "CodeResources").write_bytes(b"ad hoc")
        return Done(0, self.listing if command == "ps" else "")
