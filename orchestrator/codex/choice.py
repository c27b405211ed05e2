"""Which model somebody means by a word on the command line. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from ..settings.problems import did_you_mean
from ..settings.slugs import slugify

_SHOWN = 8


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model on offer: what Codex sends, what its provider calls it, what the picker shows."""

    slug: str
    model: str
    name: str


class ChoiceError(Exception):
    """The word fits no model, or several. The message is a sentence that names the candidates."""


def find(wanted: str, candidates: Sequence[Candidate]) -> Candidate:
    """By slug, by upstream model id, or by a part of the display name that only one has; an exact word wins over a part."""
    for fits in _rungs(wanted.strip()):
        found = [each for each in candidates if fits(each)]
        if len(found) == 1:
            return found[0]
        if found:
            raise ChoiceError(f"`{wanted}` fits {len(found)} models; name one of them by its slug: {_some(found)}")
    hint = did_you_mean(wanted, [each.slug for each in candidates])
    raise ChoiceError(f"there is no model named `{wanted}`{hint or '; there are ' + _some(candidates)}")


def _rungs(word: str) -> Sequence[Callable[[Candidate], bool]]:
    """From the most exact to the least. A blank word fits nothing."""
    low = word.lower()
    if not low:
        return ()
    return (
        lambda each: each.slug == word,
        lambda each: each.model == word,
        lambda each: each.slug == slugify(word) or each.model.lower() == low,
        lambda each: each.name.lower() == low,
        lambda each: low in each.name.lower(),
    )


def _some(candidates: Sequence[Candidate]) -> str:
    shown = ", ".join(each.slug for each in candidates[:_SHOWN])
    more = len(candidates) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
