"""One thing that a hop does not keep."""

from __future__ import annotations

from typing import NamedTuple


class Violation(NamedTuple):
    """`rule` is its name, as in docs/sight.md; `field` says where, like `response.output_item.done item 2`; the `sentence` says
    what is wrong, without the hop."""

    rule: str
    field: str
    sentence: str
