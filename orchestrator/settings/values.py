"""What users write as values: `${NAME}` placeholders, and mappings whose values may be credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Sealed(dict[str, str]):
    """A mapping that prints its names only."""

    def __repr__(self) -> str:
        return f"Sealed({', '.join(sorted(self))})"

    __str__ = __repr__


class MissingVariableError(LookupError):
    """A placeholder names a variable that is not set, or is empty."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the environment variable {name} is not set")
        self.name = name


def expand(text: str, environ: Mapping[str, str]) -> str:
    """`text` with each `${NAME}` replaced. Raises `MissingVariableError`; what a variable holds is not expanded again."""

    def value(match: re.Match[str]) -> str:
        found = environ.get(match[1])
        if not found:
            raise MissingVariableError(match[1])
        return found

    return PLACEHOLDER.sub(value, text)
