"""The user's own providers.toml: providers of their own, and changes to known ones, without Python.

Rule of this file: it is valid as a whole, or a `ConfigError` names every problem with its place, and nothing starts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import base_url, toml_file
from .problems import ConfigError, did_you_mean
from .providers import Preset, ProviderTable, merged, packaged, packaged_tables
from .source import read_text
from .strict import Reader

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def load(path: Path) -> Mapping[str, Preset]:
    """The packaged providers, and over them those of the file, where there is one. Raises `ConfigError`."""
    return parse(read_text(path), str(path)) if os.path.lexists(path) else packaged()


def parse(text: str, path: str) -> Mapping[str, Preset]:
    tables, positions = toml_file.document(text, path)
    reader = Reader(path, positions)
    known = {**packaged_tables(), **tables}
    for name, table in tables.items():
        _check(name, table, known, reader)
    if reader.problems:
        raise ConfigError(reader.problems)
    return merged(packaged_tables(), tables)


def _check(name: str, table: Any, known: Mapping[str, Any], reader: Reader) -> None:
    if not isinstance(table, dict):
        reader.at_key((name,), f"`{name}` must be a table: each provider is one, like [my-provider]")
        return
    if not _NAME.fullmatch(name):
        reader.at_key((name,), "the name of a provider is made of lowercase letters, digits, `-`, `_` and `.`")
    read = reader.decode(table, ProviderTable, (name,), f"[{name}]")
    if read is None:
        return
    if read.like and (read.like not in known or read.like == name):
        reader.at_value((name, "like"), f"`like` in [{name}] names no other provider{did_you_mean(read.like, known)}")
    if name not in packaged_tables() and not read.like and not read.dialect:
        reader.at_key((name,), f"[{name}] has no `dialect` (or `like`, to be as another provider is)")
    _check_words(name, read, reader)


def _check_words(name: str, read: ProviderTable, reader: Reader) -> None:
    if read.base_url:
        try:
            base_url.read(read.base_url)
        except base_url.BaseUrlError as error:
            reader.at_value((name, "base_url"), f"`base_url` in [{name}] {error}")
    if read.key_header and not _HEADER.fullmatch(read.key_header):
        reader.at_value((name, "key_header"), f"`key_header` in [{name}] must be the name of a header, like x-api-key")
    if read.key_env and not _VARIABLE.fullmatch(read.key_env):
        reader.at_value((name, "key_env"), f"`key_env` in [{name}] must be the name of a variable, not the key itself")
