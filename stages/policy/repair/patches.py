"""Patches for `apply_patch` that a model has wrapped up or not framed. Pure.

A patch fits byte for byte or not at all, so what is inside is never altered: only what stands around it goes, and the lines that
frame it come. The outcome must be a whole patch by its grammar; otherwise nothing is done, and Codex tells the model what is wrong.
"""

from __future__ import annotations

import re
from typing import Any

from .values import decoded, text_of

BEGIN, END = "*** Begin Patch", "*** End Patch"
TOOL = "apply_patch"

_LINE = r"[^\n]*\n"
_CHANGES = rf"(?:@@{_LINE}|[+\- ]{_LINE}|\n|\*\*\* End of File\n)++"
_FILES = (
    rf"(?:\*\*\* Add File: [^\n]+\n(?:\+{_LINE})*+"
    r"|\*\*\* Delete File: [^\n]+\n"
    rf"|\*\*\* Update File: [^\n]+\n(?:\*\*\* Move to: [^\n]+\n)?{_CHANGES})"
)
_PATCH = re.compile(rf"\*\*\* Begin Patch\n(?:\*\*\* Environment ID: [^\n]+\n)?{_FILES}++\*\*\* End Patch\n?")
_BODY = re.compile(r"\*\*\* (?:Add|Delete|Update) File: ")
_FENCE = re.compile(r"\s*```[A-Za-z_-]*[ \t]*\n(.*?)(?:\n```\s*)?", re.DOTALL)
_HEREDOC = re.compile(r"\s*(?:apply_patch\s*)?<<-?\s*(['\"]?)(\w+)\1[ \t]*\n(.*?)(?:\n\2\s*)?", re.DOTALL)
_COMMAND = re.compile(r"\s*apply_patch\s*\n(.*)", re.DOTALL)
_KEYS = ("input", "patch", "text", "content")
_SIZE_LIMIT = 1024 * 1024


def is_right_so_far(text: str) -> bool | None:
    """Whether a patch begins as it must; None while that cannot be told."""
    head = BEGIN + "\n"
    if text.startswith(head):
        return True
    return None if head.startswith(text) else False


def mended(text: str, *, whole: bool = True) -> str:
    """The patch that was meant; the text itself where that is not certain, or where nothing is wrong with it. Without `whole` the
    model may have been cut off: then a missing end stays missing."""
    if len(text) > _SIZE_LIMIT or _PATCH.fullmatch(text):
        return text
    bare = _bare(text)
    if not bare.startswith(BEGIN) and _BODY.match(bare):
        bare = f"{BEGIN}\n{bare}"
    bare = bare.rstrip() if bare.rstrip().endswith(END) else bare
    if not bare.endswith(END) and whole:
        bare = f"{bare.removesuffix(chr(10))}\n{END}"
    return bare if _PATCH.fullmatch(bare) else text


def mended_arguments(arguments: str, *, whole: bool = True) -> str:
    """The same for a patch inside the JSON arguments of a function; of an object its one text."""
    try:
        value = decoded(arguments)
    except ValueError:
        return arguments
    if not isinstance(value, dict) or len(value) != 1:
        return arguments
    [(name, text)] = value.items()
    patch = mended(text, whole=whole) if isinstance(text, str) else text
    return arguments if patch == text else text_of({name: patch})


def _bare(text: str) -> str:
    """Without what models like to put around it, in whichever order."""
    for _ in range(4):
        before, text = text, _unwrapped(text)
        if text == before:
            break
    return text


def _unwrapped(text: str) -> str:
    if text.lstrip()[:1] in ("{", '"') and (held := _text_in(text)) is not None:
        return held
    if "\r\n" in text and text.count("\r\n") == text.count("\n"):
        return text.replace("\r\n", "\n")
    for pattern, group in ((_FENCE, 1), (_HEREDOC, 3), (_COMMAND, 1)):
        if match := pattern.fullmatch(text):
            return match[group]
    start = text.lstrip("\ufeff \t\n")
    return start if start.startswith((BEGIN, "*** ", "```", "<<", "{")) else text


def _text_in(text: str) -> str | None:
    try:
        value: Any = decoded(text)
    except ValueError:
        return None
    if isinstance(value, dict) and len(value) == 1 and set(value) <= set(_KEYS):
        [value] = value.values()
    return value if isinstance(value, str) else None
