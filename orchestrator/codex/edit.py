"""The edit that connects a Codex configuration with the chain, and the one that takes it back. Pure: text in, text out.

Codex's `config.toml` is the user's. So only whole lines of ours come in, nothing of theirs is rewritten, and what has to make room
stays where it is, as a comment. The file itself then holds all that is needed to put it back, whatever happens to our own files and
whatever the user or Codex changes elsewhere in it. Every result is read again and compared before it counts.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..settings.toml_positions import Statement, statements

PROVIDER = "codex_shim"
# The settings that decide whom Codex asks. Those of them that `enable` does not set have to be out of the way as well.
CONNECTION = ("model", "model_provider", "model_catalog_json", "openai_base_url")

MARK = "# Set by `codex-shim enable`; `codex-shim disable` takes it out and puts back what it replaced."
TABLE_MARK = "# Added by `codex-shim enable`; `codex-shim disable` takes it out."
TABLE_MARK_UNENDED = "# Added by `codex-shim enable`; `codex-shim disable` takes it out, with the line break above."
KEPT = "#codex-shim kept: "
# So that a model of ours is known again, though it may not be on offer any more.
MODEL = "# The model that it has set: "
_MARKS = (MARK, TABLE_MARK, TABLE_MARK_UNENDED)

IsOurs = Callable[[str, Any], bool]


class EditError(Exception):
    """The text cannot be edited safely. The message is a clause for a sentence about the file; nothing has to be undone."""


def is_enabled(text: str) -> bool:
    """Whether `enable` has written into it and no `disable` has been there since."""
    found = _comments(text, (KEPT, MODEL, *_MARKS))
    return any(line.startswith((KEPT, MODEL)) or line.rstrip("\r\n") in _MARKS for _, line in found)


def kept(text: str) -> list[str]:
    """The settings of somebody else's that stand there as comments: `model`, `model_providers.codex_shim`, …"""
    found = _statements("".join(line.removeprefix(KEPT) for _, line in _comments(text, KEPT)))
    return list(dict.fromkeys(".".join(map(str, each.path[:2])) for each in found))


def model_set(text: str) -> str | None:
    """The model that `enable` has set, whatever it is now."""
    said = [line.removeprefix(MODEL).strip() for _, line in _comments(text, MODEL)]
    try:
        return str(json.loads(said[0])) if said else None
    except ValueError:
        return None


def chosen(text: str, is_ours: IsOurs) -> set[str]:
    """The settings of `CONNECTION` that have another value than ours."""
    settings, noted = _read(text), model_set(text)
    theirs = {key for key in CONNECTION if key in settings and not is_ours(key, settings[key])}
    return theirs - ({"model"} if noted is not None and settings.get("model") == noted else set())


def places(text: str, is_ours: IsOurs) -> list[tuple[str, int, int]]:
    """Where settings stand that lead to us: `(name, first line, last line)`, counted from 1."""
    theirs, found = chosen(text, is_ours), _statements(text)
    return [(".".join(map(str, each.path)), each.first + 1, each.last + 1) for each in found if _connects(each, theirs)]


def enable(text: str, top: Mapping[str, Any], provider: Mapping[str, Any] | None, is_ours: IsOurs) -> str:
    """`top` are settings out of `CONNECTION`; `provider` is the table [model_providers.codex_shim], if one is needed.

    An earlier `enable` is taken back first, so that what is kept is still what was there before us. Raises `EditError`.
    """
    before = disable(text, is_ours)
    lines = _lines(before)
    for statement in _statements(before):
        if _connects(statement):
            for number in range(statement.first, statement.last + 1):
                lines[number] = KEPT + lines[number]
    end = "\r\n" if "\r\n" in before else "\n"
    mark = MARK + end + (f"{MODEL}{json.dumps(top['model'])}{end}" if "model" in top else "")
    after = mark + _toml(top, end) + "".join(lines) + (_table(before, provider, end) if provider else "")
    if not _fits(before, after, (dict(top), provider)):
        raise EditError("it is written in a way that our settings do not fit into; see docs/troubleshooting.md")
    return after


def _fits(before: str, after: str, ours: tuple[dict[str, Any], Mapping[str, Any] | None]) -> bool:
    """Whether the new text means what it should: theirs as it was, and ours."""
    try:
        settings = _read(after)
    except EditError:  # the text before was valid; a table of theirs cannot be extended
        return False
    return _theirs(settings) == _theirs(_read(before)) and _settings(settings) == ours


def disable(text: str, is_ours: IsOurs) -> str:
    """`is_ours(key, value)` tells whether a setting of `CONNECTION` still has a value of ours. One that was chosen since stays, and
    what it replaces does not come back. The very same text where nothing is ours. Raises `EditError`."""
    settings = _read(text)
    if not is_enabled(text):
        return text
    after = "".join(_put_back(text, chosen(text, is_ours)))
    if _theirs(_read(after)) != _theirs(settings):
        raise EditError("the lines that codex-shim kept in it have been changed; put them right by hand")
    return after


def _put_back(text: str, chosen: set[str]) -> list[str]:
    """The lines without ours, with those that were kept."""
    lines, found = _lines(text), _statements(text)
    inside = {number for each in found for number in range(each.first, each.last + 1)}
    ours = {number for each in found if _connects(each, chosen) for number in range(each.first, each.last + 1)}
    out: list[str] = []
    kept: list[str] = []
    unended: int | None = None
    for number, line in enumerate(lines):
        if number not in inside and line.startswith(KEPT):
            kept.append(line.removeprefix(KEPT))
            continue
        out += _without(kept, chosen)
        kept = []
        bare = line.rstrip("\r\n")
        if number not in inside and line.startswith(MODEL):
            continue
        if number not in inside and bare in _MARKS:
            if bare != MARK and out and not out[-1].strip():
                out.pop()  # the blank line above our table
            unended = len(out) if bare == TABLE_MARK_UNENDED else unended
        elif number not in ours:
            out.append(line)
    out += _without(kept, chosen)
    if out and unended == len(out):  # with something behind it, the line needs its end
        out[-1] = out[-1].rstrip("\r\n")
    return out


def _comments(text: str, beginning: str | tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Lines of our own kind; one inside a string is none."""
    inside = {number for each in _statements(text) for number in range(each.first, each.last + 1)}
    lines = enumerate(_lines(text))
    yield from ((number, line) for number, line in lines if number not in inside and line.startswith(beginning))


def _without(kept: list[str], chosen: set[str]) -> Iterator[str]:
    """The lines of consecutive statements, but for those whose setting somebody has chosen anew."""
    if not kept:
        return
    text = "".join(kept)
    _read(text)
    gone = {
        number
        for each in _statements(text)
        if not each.header and each.path[0] in chosen
        for number in range(each.first, each.last + 1)
    }
    yield from (line for number, line in enumerate(kept) if number not in gone)


def _connects(statement: Statement, spared: set[str] | frozenset[str] = frozenset()) -> bool:
    if statement.path[:2] == ("model_providers", PROVIDER):
        return True
    key = statement.path[0]
    return len(statement.path) == 1 and not statement.header and key in CONNECTION and key not in spared


def _table(before: str, provider: Mapping[str, Any], end: str) -> str:
    """Behind a blank line; a last line without an end needs one first."""
    ended = not before or before.endswith("\n")
    mark = TABLE_MARK if ended else TABLE_MARK_UNENDED
    return f"{'' if ended else end}{end}{mark}{end}[model_providers.{PROVIDER}]{end}" + _toml(provider, end)


def _toml(settings: Mapping[str, Any], end: str) -> str:
    import tomlkit

    document = tomlkit.document()
    for key, value in settings.items():
        if isinstance(value, dict):
            document[key] = tomlkit.inline_table()
            document[key].update(value)
        else:
            document[key] = value
    return tomlkit.dumps(document).replace("\n", end)


# -- reading ----------------------------------------------------------------------------------------------------------


def _read(text: str) -> dict[str, Any]:
    if text.startswith("\ufeff"):
        raise EditError("it begins with a byte order mark; save it as UTF-8 without one")
    try:
        return tomllib.loads(text, parse_float=str)  # as text, so that even nan is equal to itself
    except tomllib.TOMLDecodeError as error:
        raise EditError(f"it is not valid TOML ({error})") from None


def _statements(text: str) -> list[Statement]:
    return statements(text.replace("\r\n", "\n"))


def _lines(text: str) -> list[str]:
    """With their ends, and split where TOML does: other line separators of Unicode may stand in strings."""
    *ended, last = text.split("\n")
    return [line + "\n" for line in ended] + ([last] if last else [])


def _theirs(settings: dict[str, Any]) -> dict[str, Any]:
    """All but the connection. A table of providers that holds nobody else's is as good as none."""
    rest = {key: value for key, value in settings.items() if key not in CONNECTION}
    providers = rest.get("model_providers")
    if isinstance(providers, dict):
        rest["model_providers"] = {name: value for name, value in providers.items() if name != PROVIDER}
    return {key: value for key, value in rest.items() if key != "model_providers" or value}


def _settings(settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The connection alone."""
    providers = settings.get("model_providers")
    provider = providers.get(PROVIDER) if isinstance(providers, dict) else None
    return {key: settings[key] for key in CONNECTION if key in settings}, provider
