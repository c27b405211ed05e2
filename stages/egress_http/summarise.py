"""The exchange of a compaction: one answer of the model, or two, behind one response that holds nothing but the summary."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from ..contract import compaction, summary
from ..contract.errors import HopError
from ..contract.events import Event, ResponseBuilder, random_id
from .dialects.base import Output, last_event

Ask = Callable[[], AsyncIterator[Sequence[Output]]]


async def summarise(ask: Ask, builder: ResponseBuilder) -> AsyncIterator[Sequence[Output]]:
    """The events of the response, the first of them as soon as the upstream has begun to answer. What it says meanwhile is for us.

    Raises `HopError` only before the first list, as every answer does.
    """
    outcome, begun = compaction.Outcome(), False
    for _ in range(compaction.ATTEMPTS):
        terminal: Event = {}
        try:
            async for outputs in ask():
                if not begun:
                    begun = True
                    yield builder.start()
                terminal = last_event(outputs) or terminal
        except HopError as error:
            if not begun:
                raise
            outcome = compaction.Outcome(failure=error.failure)
            break
        outcome = compaction.read(terminal["response"])
        if outcome.text or outcome.failure:
            break
    yield _end(outcome, builder)


def _end(outcome: compaction.Outcome, builder: ResponseBuilder) -> list[Event]:
    if not outcome.text:
        return builder.fail(outcome.failure or compaction.EMPTY, outcome.usage)
    item = summary.item(outcome.text, random_id("cmp"))
    return [*builder.item(item), *builder.complete(outcome.usage)]
