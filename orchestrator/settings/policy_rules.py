"""What must be right in the rules of the policy stage beyond their shape: patterns, paths, times, addresses, and files of text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import urlsplit

import msgspec
from codex_shim.stages.contract import json_path
from codex_shim.stages.contract.handshake import is_loopback
from codex_shim.stages.policy.config import Ask, Default, Drop, Inject, Options, Redact, Replace, Rule, Set

from .positions import Path
from .strict import Reader


def settle(options: Options, at: Path, where: str, folder: FilePath, reader: Reader) -> Options:
    """The rules with the text of each `file`, which is sought from `folder`. What is wrong is told to `reader`; `at` is the place
    of the stage's table."""
    rules = []
    for place, rule in enumerate(options.rules):
        judge = _Judge(reader, f"item {place + 1} of `rules` in {where}")
        judge.rule(rule, (*at, "rules", place))
        rules.append(judge.read(rule, (*at, "rules", place), folder) if isinstance(rule, Inject) else rule)
    return msgspec.structs.replace(options, rules=rules)


class _Judge:
    def __init__(self, reader: Reader, where: str) -> None:
        self._reader = reader
        self._where = where

    def rule(self, rule: Rule, at: Path) -> None:
        self._when(rule, (*at, "when"))
        match rule:
            case Set(values=values) | Default(values=values):
                for path in values:
                    self._value(path, (*at, "values", path), json_path.parse_field)
            case Drop(paths=paths):
                for place, path in enumerate(paths):
                    self._value(path, (*at, "paths", place), json_path.parse_field)
            case Replace():
                self._value(rule.path, (*at, "path"), json_path.parse_field)
                self._pattern(rule.pattern, (*at, "pattern"))
                self._value(rule.by, (*at, "by"), lambda by: _template(rule.pattern, by))
            case Redact(patterns=patterns):
                for name, pattern in patterns.items():
                    self._value(name, (*at, "patterns", name), _word)
                    self._value(pattern, (*at, "patterns", name), _alone)
            case Ask(url=url):
                self._value(url, (*at, "url"), _address)
            case _:
                pass

    def read(self, rule: Inject, at: Path, folder: FilePath) -> Inject:
        if bool(rule.text) == bool(rule.file):
            what = "says nothing; give it `text` or `file`" if not rule.text else "has both `text` and `file`; give it one of them"
            self._reader.at_key(at, f"{self._where} (`inject`) {what}")
            return rule
        if rule.text:
            return rule
        path = folder / FilePath(rule.file).expanduser()
        try:
            return msgspec.structs.replace(rule, text=path.read_text("utf-8").rstrip("\n"))
        except (OSError, UnicodeDecodeError) as error:
            why = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
            self._reader.at_value((*at, "file"), f"`file` in {self._where} cannot be read: {path}: {why}")
            return rule

    def _when(self, rule: Rule, at: Path) -> None:
        self._pattern(rule.when.says, (*at, "says"))
        self._value(rule.when.hours, (*at, "hours"), _hours)
        for path, pattern in rule.when.fields.items():
            self._value(path, (*at, "fields", path), json_path.parse)
            self._pattern(pattern, (*at, "fields", path))

    def _pattern(self, pattern: str | None, at: Path) -> None:
        self._value(pattern, at, re.compile)

    def _value(self, value: str | None, at: Path, check: Callable[[str], Any]) -> None:
        try:
            if value is not None:
                check(value)
        except re.error as error:
            self._reader.at_value(at, f"{_name(at)} in {self._where} is no regular expression: {error}")
        except (ValueError, LookupError) as error:
            self._reader.at_value(at, f"{_name(at)} in {self._where} {error}")


def _name(at: Path) -> str:
    return f"item {at[-1] + 1} of `{at[-2]}`" if isinstance(at[-1], int) else f"`{at[-1]}`"


def _template(pattern: str, by: str) -> None:
    try:
        compiled = re.compile(pattern)
    except re.error:
        return  # that is said of the pattern
    try:
        compiled.sub(by, "")
    except (re.error, LookupError) as error:
        raise ValueError(f"names a group that `pattern` does not have, or escapes what needs none: {error}") from None


def _word(name: str) -> None:
    if not re.fullmatch(r"[a-zA-Z]+(_[a-zA-Z]+)*", name) or "redacted" in name.lower() or name.lower() == "literal":
        raise ValueError("cannot stand in a placeholder; use letters and single underscores, and neither `redacted` nor `literal`")


def _alone(pattern: str) -> None:
    """It is put beside others into one expression, in which its groups have other numbers and its flags no place."""
    if re.search(r"\\[1-9]|\(\?P", pattern):
        raise ValueError("names or numbers a group, which a pattern of `redact` cannot; write groups as (?:…)")
    re.compile(f"(?:{pattern})")


def _hours(text: str) -> None:
    try:
        begin, end = (time.fromisoformat(each.strip()) for each in text.split("-"))
    except ValueError:
        raise ValueError('is no time of day; write it like "09:00-17:30"') from None
    if begin == end:
        raise ValueError("ends when it begins")


def _address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no address; write it like http://127.0.0.1:9000/ask")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("would send prompts over the network for anybody to read; use https, or a service on this machine")
