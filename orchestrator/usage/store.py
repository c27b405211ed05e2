"""The file that usage is kept in: SQLite, 0600, one row for each day, model and project. It does not grow without end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ..home import private_folder
from .tally import Counts, Key, Row

if TYPE_CHECKING:
    from sqlite3 import Connection  # what is not used is not imported: a chain may never be asked for anything

VERSION = 1
# Of one day. Scripts may run Codex in a new folder each time; what comes behind these is counted without its project.
MOST_ROWS = 500
# Another program may hold the file for a moment.
PATIENCE_SECONDS = 5.0

_COLUMNS = Counts.__struct_fields__
_KINDS = ", ".join(f"{name} {'REAL' if name == 'dollars' else 'INTEGER'} NOT NULL" for name in _COLUMNS)
_TABLE = f"""
CREATE TABLE IF NOT EXISTS usage (
  day TEXT NOT NULL, slug TEXT NOT NULL, project TEXT NOT NULL, {_KINDS}, PRIMARY KEY (day, slug, project)
) WITHOUT ROWID
"""
_SUMS = ", ".join(f"{name} = {name} + excluded.{name}" for name in _COLUMNS)
_ADD = f"INSERT INTO usage VALUES (?, ?, ?, {', '.join('?' * len(_COLUMNS))}) ON CONFLICT DO UPDATE SET {_SUMS}"  # noqa: S608
_READ = f"SELECT day, slug, project, {', '.join(_COLUMNS)} FROM usage WHERE day >= ? ORDER BY day, slug, project"  # noqa: S608


class StoreError(Exception):
    """The file cannot be used; the message is a sentence about it."""


class Store:
    """Opened with the first use. `days` is how many are kept; its methods block, and raise `StoreError`."""

    def __init__(self, path: Path, days: int) -> None:
        self._path = path
        self._days = days
        self._connection: Connection | None = None
        self._swept = ""

    @property
    def exists(self) -> bool:
        return self._path.exists()

    def add(self, counted: Mapping[Key, Counts], today: str) -> None:
        """All of it or nothing. Days that are too old are dropped, once a day."""
        with _sentences(self._path):
            connection = self._open()
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                for (day, slug, project), counts in counted.items():
                    place = (day, slug, self._bounded(connection, day, slug, project))
                    connection.execute(_ADD, (*place, *msgspec.structs.astuple(counts)))
                if self._swept != today:
                    oldest = date.fromisoformat(today) - timedelta(days=self._days - 1)
                    connection.execute("DELETE FROM usage WHERE day < ?", (oldest.isoformat(),))
            self._swept = today

    def since(self, day: str) -> list[Row]:
        """That day's rows and those of the days behind it, oldest first."""
        with _sentences(self._path):
            return _rows(self._open(), day)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        if self._connection is None:
            private_folder(self._path.parent)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))  # the files that SQLite puts beside it get its mode
            connection = _connect(self._path)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA user_version = {VERSION}")
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _bounded(self, connection: Connection, day: str, slug: str, project: str) -> str:
        known = connection.execute("SELECT 1 FROM usage WHERE day = ? AND slug = ? AND project = ?", (day, slug, project))
        if known.fetchone():
            return project
        (rows,) = connection.execute("SELECT count(*) FROM usage WHERE day = ?", (day,)).fetchone()
        return project if rows < MOST_ROWS else ""


def read(path: Path, day: str) -> list[Row]:
    """The same as `Store.since`, for whoever only looks; nothing where there is no file. Raises `StoreError`."""
    if not path.exists():
        return []
    with _sentences(path):
        connection = _connect(path)
        try:
            return _rows(connection, day)
        finally:
            connection.close()


def _connect(path: Path) -> Connection:
    """Used by one thread at a time, though not always by the same one."""
    import sqlite3

    connection = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _refuse_newer(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_newer(connection: Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreError(f"{path} was written by a newer codex-shim; update this one, or move the file away")


def _rows(connection: Connection, day: str) -> list[Row]:
    found: Iterable[tuple[Any, ...]] = connection.execute(_READ, (day,))
    return [Row(row[0], row[1], row[2], Counts(**dict(zip(_COLUMNS, row[3:], strict=True)))) for row in found]


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """What SQLite and the system complain of, as a sentence about the file."""
    import sqlite3

    try:
        yield
    except (sqlite3.Error, OSError) as error:
        why = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise StoreError(f"{path} cannot be used: {why}; move it away, and usage is counted anew") from error
