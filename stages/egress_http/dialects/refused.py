"""Settings that a provider refuses by name: what its sentence names is left out, or called what it asks for instead.

New models appear every week, and some refuse a setting that their older sisters take. What quirks do not know yet, the provider's
own sentence says: "Unsupported parameter: 'temperature' is not supported with this model." Such a request is worth a second try
without it, and so is every later one to this model.

The rule: only settings are left out, never what the model is told or may call; and only the one that the sentence names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from ...contract.body import Document
from ...contract.errors import INVALID_REQUEST, MODEL_NOT_FOUND, Failure

Path = tuple[str, ...]

_SETTINGS: tuple[Path, ...] = (
    ("temperature",),
    ("top_p",),
    ("parallel_tool_calls",),
    ("stream_options",),
    ("reasoning_effort",),
    ("enable_thinking",),
    ("thinking",),
    ("reasoning", "summary"),
    ("reasoning", "effort"),
    ("reasoning",),
    ("output_config", "effort"),
    ("text", "verbosity"),
    ("verbosity",),
    ("service_tier",),
    ("prompt_cache_key",),
    ("include",),
    ("store",),
    ("generationConfig", "thinkingConfig"),
    ("generationConfig", "temperature"),
    ("generationConfig", "topP"),
)
# One limit, two names.
_OTHER_NAME = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
# Names that are also ordinary words: they count only where they are quoted, or given as the `param` of the error.
_WORDS = frozenset({"thinking", "reasoning", "include", "store", "verbosity", "effort", "summary", "temperature"})

_REFUSED = re.compile(
    r"unsupported|not supported|(does not|doesn't) support|unrecognized|unknown (parameter|field|name|argument|key)"
    r"|extra inputs|not permitted|not allowed|deprecated|unexpected (parameter|field|keyword|property|argument)|cannot find field",
    re.IGNORECASE,
)
# Places inside what the model is told or may call, whose parts can have a setting's name.
_INSIDE = re.compile(r"\b(messages|input|tools|contents|system)\b[.\[][\w.\[\]]*")
_STATUSES = (400, 404, 422)


class Lesson(msgspec.Struct, frozen=True):
    """The setting at `path` is not sent to a model any more, or by the name `instead`."""

    path: Path
    instead: str = ""

    @property
    def note(self) -> str:
        """For the log."""
        name = ".".join(self.path)
        called = f"; it was sent as `{self.instead}`" if self.instead else "; it was left out"
        return f"the provider refused the setting `{name}` for this model{called}"


def lesson_of(failure: Failure, payload: dict[str, Any] | bytes) -> Lesson | None:
    """What a refusal teaches about the payload that was refused. None where it is about something else."""
    if failure.status not in _STATUSES or failure.code not in (INVALID_REQUEST, MODEL_NOT_FOUND, "unsupported_parameter"):
        return None
    if not _REFUSED.search(failure.message):
        return None
    body = msgspec.json.decode(payload) if isinstance(payload, bytes) else payload
    for name, other in _OTHER_NAME.items():
        if name in body and _names((name,), failure) and other in failure.message:
            return Lesson((name,), other)
    named = [path for path in _SETTINGS if _at(body, path) and _names(path, failure)]
    return Lesson(named[0]) if named else None


def applied(lessons: Iterable[Lesson], payload: dict[str, Any] | bytes) -> dict[str, Any] | bytes:
    """The payload as lessons want it: a new object, or other bytes of which only those settings differ."""
    for lesson in lessons:
        payload = _in_bytes(lesson, payload) if isinstance(payload, bytes) else _in_dict(lesson, payload)
    return payload


def _in_dict(lesson: Lesson, payload: dict[str, Any]) -> dict[str, Any]:
    head, *rest = lesson.path
    if lesson.instead:
        return {lesson.instead if key == head else key: value for key, value in payload.items()}
    if rest:
        return {key: _without(value, rest[0]) if key == head else value for key, value in payload.items()}
    return _without(payload, head)


def _in_bytes(lesson: Lesson, payload: bytes) -> bytes:
    document, (head, *rest) = Document.parse(payload), lesson.path
    value = document.get(head, dict[str, Any]) if rest else None
    if rest and value is not None:
        document.set(head, _without(value, rest[0]))
    elif not rest:
        document.drop(head)
    return document.encode()


def _without(value: Any, key: str) -> Any:
    return {name: each for name, each in value.items() if name != key} if isinstance(value, dict) else value


def _at(body: Any, path: Path) -> bool:
    for key in path:
        if not isinstance(body, dict) or key not in body:
            return False
        body = body[key]
    return True


def _names(path: Path, failure: Failure) -> bool:
    """Whether it is this setting that the provider speaks of, in its own way of writing names."""
    if failure.param and _plain(failure.param) in (_plain(".".join(path)), _plain(path[-1])):
        return True
    name = _spellings(path[-1])
    quoted = rf"""[`'"](?:\w+\.)*{name}[`'"]|\b(?:\w+\.)+{name}\b|\b{name}\s*:"""
    found = quoted if path[-1] in _WORDS else rf"{quoted}|\b{name}\b"
    return re.search(found, _INSIDE.sub("", failure.message), re.IGNORECASE) is not None


def _spellings(name: str) -> str:
    """`reasoning_effort`, `reasoningEffort` and `reasoning effort` are one name."""
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_")
    return "[_ -]?".join(map(re.escape, words))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.removeprefix("body.").lower())
