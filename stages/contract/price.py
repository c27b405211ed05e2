"""What a model costs, and what an answer has cost by that. Pure."""

from __future__ import annotations

from typing import Annotated

import msgspec

Dollars = Annotated[float, msgspec.Meta(ge=0)]
_MILLION = 1_000_000


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dollars per million tokens. `cached` is for what the provider had in its cache; without it that costs what `input` does."""

    input: Dollars
    output: Dollars
    cached: Dollars | None = None

    def cost(self, input: int, cached: int, output: int) -> float:
        """Dollars; `cached` tokens are a part of `input`."""
        kept = self.input if self.cached is None else self.cached
        return ((input - cached) * self.input + cached * kept + output * self.output) / _MILLION
