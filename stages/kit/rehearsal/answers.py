"""What a scripted next hop says, as the events of one response. Pure: the same parts give the same events."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import msgspec

from ...contract.events import Event, ResponseBuilder, Usage

_WORD = re.compile(r"\s*\S+\s*")
_CREATED = 1_735_689_600


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call: `value` is JSON text for a function, raw text for a freeform tool."""

    kind: str
    name: str
    value: str
    namespace: str | None = None


def events(model: str, parts: Sequence[str | Call]) -> list[Event]:
    """Texts come word by word, as a model's do; texts in a row are one message."""
    numbers = itertools.count(1)
    builder = ResponseBuilder(model, _CREATED, lambda prefix: f"{prefix}_{next(numbers):032x}")
    found = builder.start()
    for place, part in enumerate(parts):
        if isinstance(part, Call):
            kind = "custom_tool_call" if part.kind == "custom_tool_call" else "function_call"
            found += builder.call(kind, f"call_{place}", part.name, part.namespace)
            found += [*builder.call_delta(part.value), *builder.end_call(part.value)]
        else:
            for word in _WORD.findall(part) or [part]:
                found += builder.text(word)
    return found + builder.complete(Usage(input=10, output=4))
