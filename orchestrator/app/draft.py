"""The patched app, made beside the one that is in use: nobody sees it before it is whole, signed and read again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from . import digest, info_plist
from .asar import Archive, differing
from .bundle import App, AppError, mapped
from .digest import DigestError
from .survey import Survey
from .tools import Tools

# Beside the app, so that taking its place is a rename.
FOLDER = ".codex-shim-draft"

Say = Callable[[str], None]


def place(target: Path) -> App:
    return App(target.parent / FOLDER / target.name)


def clear(target: Path) -> None:
    shutil.rmtree(target.parent / FOLDER, ignore_errors=True)


def make(source: App, target: Path, found: Survey, tools: Tools, say: Say) -> App:
    """A patched copy of `source` that can take the place of `target`. Raises `AppError`; what then is left is for `clear`."""
    draft = place(target)
    clear(target)
    draft.path.parent.mkdir(parents=True)
    say(f"Copying {source.path} …")
    tools.copy(source.path, draft.path)
    header_hash = write_archive(draft, found.plan.contents)
    write_hashes(draft, header_hash)
    say("Signing it for this machine …")
    tools.sign(draft)
    tools.verify(draft)
    if not draft.fits():
        raise AppError("after signing, the archive is not what the patched app would accept")
    return draft


def write_archive(app: App, contents: dict[str, bytes]) -> str:
    """Beside the old archive first; it takes its place once it has been read again. Returns the hash of its header."""
    fresh = app.archive_file.with_name("app.asar.new")
    with app.archive() as before:
        with fresh.open("wb") as file:
            file.writelines(before.rewritten(contents))
        fresh.chmod(app.archive_file.stat().st_mode & 0o777)
        with mapped(fresh) as buffer:
            after = Archive(buffer)
            if differing(before, after) != set(contents) or not all(map(after.intact, contents)):
                raise AppError("the new archive does not read as it was meant to be written")
            if any(after.content(path) != content for path, content in contents.items()):
                raise AppError("the new archive does not hold what was written into it")
            header_hash = after.header_hash
    fresh.replace(app.archive_file)
    return header_hash


def write_hashes(app: App, header_hash: str) -> None:
    """Into Info.plist and, where it keeps one, into Electron's framework."""
    content = info_plist.with_hash(app.info_file.read_bytes(), header_hash)
    fresh = app.info_file.with_name("Info.plist.new")
    fresh.write_bytes(content)
    fresh.chmod(app.info_file.stat().st_mode & 0o777)
    fresh.replace(app.info_file)
    table = info_plist.read(content).integrity
    if not table or not app.framework_file.exists():
        return
    try:
        with mapped(app.framework_file) as buffer:
            edits = digest.edits(buffer, table)
    except DigestError as error:
        raise AppError(str(error)) from None
    if edits:
        program = app.framework_file.resolve()  # it is reached through links
        if not program.is_relative_to(app.path.resolve()):
            raise AppError(f"{app.framework_file} leads out of the app, so Electron's digest cannot be set")
        with program.open("r+b") as file:
            for at, value in edits:
                file.seek(at)
                file.write(value)
