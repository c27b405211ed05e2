"""What a Gemini model takes, by its name. Data: the API refuses settings that belong to another generation."""

from __future__ import annotations

import re
from typing import Any

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_ALIAS = re.compile(r"gemini-(pro|flash|flash-lite)-latest")

# Generation 2.5 is told how many tokens to think, from generation 3 on how hard.
_BUDGETS = {"none": 0, "minimal": 512, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
_LEVELS = {
    "none": "minimal",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
_LEAST_OF_PRO = 128  # 2.5 Pro cannot but think


def version(model: str) -> tuple[int, int]:
    """The generation; an alias counts as 2.5, whose settings later ones take too. (0, 0) for what is no Gemini, e.g. Gemma."""
    found = _VERSION.search(model)
    if found:
        return int(found[1]), int(found[2] or 0)
    return (2, 5) if _ALIAS.search(model) else (0, 0)


def checks_signatures(model: str) -> bool:
    """Whether a call of this turn without its thought signature is refused."""
    return version(model) >= (3, 0)


def takes_schema_beside_tools(model: str) -> bool:
    return version(model) >= (3, 0)


def thinking(model: str, effort: str | None) -> dict[str, Any] | None:
    """`thinkingConfig`, None for a model that does not think. An effort nobody knows leaves it to the model."""
    generation, pro = version(model), "pro" in model
    if generation < (2, 5):
        return None
    if generation >= (3, 0):
        level = _LEVELS.get(effort or "")
        level = _level_of_pro(level, generation) if pro and level else level
        return {"includeThoughts": True, **({"thinkingLevel": level} if level else {})}
    budget = _BUDGETS.get(effort or "")
    if budget == 0:
        return {"includeThoughts": True, "thinkingBudget": _LEAST_OF_PRO} if pro else {"thinkingBudget": 0}
    return {"includeThoughts": True, **({"thinkingBudget": budget} if budget else {})}


def _level_of_pro(level: str, generation: tuple[int, int]) -> str:
    """Pro has no `minimal`, and in its first version of the third generation no `medium`."""
    if level == "minimal":
        return "low"
    return "high" if level == "medium" and generation == (3, 0) else level
