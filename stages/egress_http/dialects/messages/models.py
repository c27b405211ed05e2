"""What the models of this language can take. Data only: a new model is one line.

`output` is the most a model may write: the API wants a limit with every request, Codex sends none, and a lower one would cut long
patches. The first line whose name is part of the model's (dots read as hyphens) holds. A Claude newer than this table is taken for
one like the latest; any other name is a model of another maker behind this language, of which little can be presumed.

Sources: the vendor's model pages and the capabilities its own clients ship. What is uncertain is set to what no model refuses.
"""

from __future__ import annotations

from typing import Literal

import msgspec

_ALL = ("low", "medium", "high", "xhigh", "max")


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """`thinking`: asked for by an effort (adaptive), by a budget of tokens, or not to be had.

    `off`: thinking can be switched off always, up to effort `high`, or never. `forced`: a tool can be demanded. `schema`: the shape
    of the answer and of a tool's input can be demanded. `claude`: signatures are checked. `bound`: a thinking block holds only for
    the very conversation it was made in.
    """

    output: int
    thinking: Literal["adaptive", "budget", "none"] = "adaptive"
    off: Literal["always", "up_to_high", "never"] = "always"
    efforts: tuple[str, ...] = _ALL
    forced: bool = True
    schema: bool = True
    claude: bool = True
    bound: bool = False


_SOVEREIGN = Traits(output=128_000, off="never", forced=False, bound=True)
_BEFORE_XHIGH = ("low", "medium", "high", "max")

_TABLE: tuple[tuple[str, Traits], ...] = (
    ("sonnet-5-5", _SOVEREIGN),
    ("opus-5-5", _SOVEREIGN),
    ("haiku-5-5", Traits(output=128_000, off="up_to_high")),
    ("opus-5", Traits(output=128_000, off="up_to_high")),
    ("fable-5-1", _SOVEREIGN),
    ("fable-5", Traits(output=128_000, off="never")),
    ("opus-4-8", Traits(output=128_000)),
    ("opus-4-7", Traits(output=128_000)),
    ("sonnet-5", Traits(output=128_000)),
    ("opus-4-6", Traits(output=128_000, efforts=_BEFORE_XHIGH)),
    ("4-6", Traits(output=64_000, efforts=_BEFORE_XHIGH)),
    ("4-5", Traits(output=64_000, thinking="budget")),
    # These refuse a request whose input and limit together are more than their window: a smaller limit leaves room for history.
    ("sonnet-4", Traits(output=32_000, thinking="budget", schema=False)),
    ("opus-4", Traits(output=32_000, thinking="budget", schema=False)),
    ("3-7", Traits(output=32_000, thinking="budget", schema=False)),
    ("3-5", Traits(output=8_192, thinking="none", schema=False)),
)
_LATER_CLAUDE = _SOVEREIGN
_ANOTHER_MAKERS = Traits(output=32_000, thinking="budget", forced=True, schema=False, claude=False)

# Tokens to think with, where a model is told a budget instead of an effort.
BUDGETS = {"low": 4_096, "medium": 10_240, "high": 20_480, "xhigh": 32_768, "max": 49_152}
LEAST_BUDGET = 1_024


def traits_of(model: str) -> Traits:
    name = model.lower().replace(".", "-")
    if "claude" not in name:
        return _ANOTHER_MAKERS
    return next((traits for part, traits in _TABLE if part in name), _LATER_CLAUDE)
