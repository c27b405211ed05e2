"""One run of `cursor-agent` → the events of one response. Pure.

How it is driven:

    turn = Turn(builder, prompt)
    while chunk := await read():            # standard output, cut anywhere
        send(turn.feed(chunk))              # begins with response.created once there is something to show
        if turn.settled: break              # nothing more is wanted: end the process
    send(turn.finish(exit_code, stderr))    # exactly one terminal event, whatever happened
    # timeouts, caps and the like instead: send(turn.fail(failure))

`feed` never gives the terminal event. While `started` is false, a `failure` can still become a plain HTTP status.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ...contract.errors import Failure
from ...contract.events import Event, ResponseBuilder, Usage, random_id
from .. import failures
from ..asking.prompt import Prompt
from . import own_tools
from .agent_events import (
    AgentError,
    AgentEvent,
    AgentUsage,
    Init,
    Query,
    Result,
    Text,
    Thinking,
    ThinkingDone,
    ToolEnded,
    ToolStarted,
    Waiting,
)
from .answer import Answer
from .output import AgentOutput

REJECTED_LIMIT = 5

_SUBSCRIPTION = "login"
_LIVELY = Init | Waiting | Query | AgentError  # what may come before the run has said how it is logged in


class Turn:
    """`home` is the user's home folder, which no error quotes."""

    def __init__(
        self, builder: ResponseBuilder, prompt: Prompt, *, home: str = "", new_id: Callable[[str], str] = random_id
    ) -> None:
        self.begun = False
        """The agent has said hello: its start clock stops, and the run must not be tried again."""
        self.settled = False
        """Nothing more is wanted: a result, complete calls with something behind them, or a violation. End the process."""
        self.failure: Failure | None = None
        """Why the turn fails, as soon as that is known."""
        self._builder = builder
        self._output = AgentOutput()
        self._answer = Answer(builder, prompt, new_id)
        self._home = home
        self._running: set[str] = set()
        self._tools: Counter[str] = Counter()
        self._result: Result | None = None
        self._error = ""

    @property
    def open_tools(self) -> int:
        """Tools of Cursor's own that run now: while there are some, silence is no hang."""
        return len(self._running)

    @property
    def started(self) -> bool:
        """Events have been given out, so a failure has to be told as one of them."""
        return self._answer.started

    @property
    def ended(self) -> bool:
        """The terminal event has been given out."""
        return self._builder.ended

    @property
    def answered(self) -> bool:
        """The agent has said that it is done, so it may end by itself."""
        return self._result is not None

    @property
    def counts(self) -> dict[str, int]:
        """For the log: noise, unknown and odd lines, Cursor's own tools by their end. Nothing of the content."""
        return {**self._output.counts, **self._tools}

    def feed(self, chunk: bytes) -> list[Event]:
        return [] if self.ended else self._take(self._output.feed(chunk))

    def finish(self, exit_code: int | None = None, stderr: str = "") -> list[Event]:
        """The run is over. `stderr` is its last 16 KiB; `exit_code` None where the process was ended by us or is not known."""
        if self.ended:
            return []
        events = self._take(self._output.finish())
        if self.failure is None and self._result is None and not self._answer.called:
            self.failure = failures.of_run(exit_code, f"{stderr}\n{self._error}", self._home)
        if self.failure is None:
            events += self._answer.end()
            self.failure = self._answer.failure()
        return [*events, *self._end()]

    def fail(self, failure: Failure) -> list[Event]:
        """The run was ended for a reason of ours: a timeout, a cap, a shutdown.

        Calls that are complete are an answer all the same: the client runs them already. `[]` where the turn has ended.
        """
        if self.ended:
            return []
        if self.failure is None and not self._answer.called:
            self.failure = failure
        self.settled = True
        return self._end()

    # -- events of the agent ----------------------------------------------------------------------------------------

    def _take(self, agent_events: list[AgentEvent]) -> list[Event]:
        events: list[Event] = []
        for event in agent_events:
            if self.settled:
                self._watch(event)
            else:
                events += self._one(event)
        return events

    def _one(self, event: AgentEvent) -> list[Event]:
        if not self.begun and not isinstance(event, _LIVELY):
            return self._stop(failures.out_of_order())
        reader = _READERS.get(type(event))
        events = reader(self, event) if reader else []
        self.settled = self.settled or self._answer.settled
        return events

    def _init(self, event: Init) -> list[Event]:
        self.begun = True
        return [] if event.api_key_source == _SUBSCRIPTION else self._stop(failures.wrong_login(event.api_key_source))

    def _text(self, event: Text) -> list[Event]:
        return self._answer.text(event.text)

    def _thinking(self, event: Thinking) -> list[Event]:
        return self._answer.thinking(event.text)

    def _thinking_done(self, event: ThinkingDone) -> list[Event]:
        return self._answer.thinking_done()

    def _tool_started(self, event: ToolStarted) -> list[Event]:
        self._running.add(event.call_id)
        return self._answer.remark(own_tools.sentence(event.name, event.about))

    def _tool_ended(self, event: ToolEnded) -> list[Event]:
        self._watch(event)
        return []

    def _result_came(self, event: Result) -> list[Event]:
        self._result, self.settled = event, True
        if event.is_error and not self._answer.called:
            self.failure = failures.of_result(event.text or self._error, self._home)
        return []

    def _said_error(self, event: AgentError) -> list[Event]:
        self._error = event.message
        return []

    def _watch(self, event: AgentEvent) -> None:
        """What counts even when nothing more is wanted of the answer: a forbidden tool that went through, and the usage."""
        if isinstance(event, Result):
            self._result = self._result or event
        if not isinstance(event, ToolEnded):
            return
        self._running.discard(event.call_id)
        self._tools[f"own_{event.outcome}"] += 1
        if event.outcome == "success" and own_tools.changes(event.name):
            self._stop(failures.policy_violation(event.name))
        elif self._tools["own_rejected"] > REJECTED_LIMIT and not self.settled:
            self._stop(failures.tool_loop(self._tools["own_rejected"]))

    # -- the response -----------------------------------------------------------------------------------------------

    def _stop(self, failure: Failure) -> list[Event]:
        self.failure, self.settled = failure, True
        return []

    def _end(self) -> list[Event]:
        begun = self._answer.begin()
        if self.failure is not None:
            return [*begun, *self._builder.fail(self.failure, self._usage())]
        return [*begun, *self._builder.complete(self._usage())]

    def _usage(self) -> Usage | None:
        return usage_of(self._result.usage) if self._result and self._result.usage else None


def usage_of(usage: AgentUsage) -> Usage:
    """Cursor tells what it read from its cache apart from the rest; in Responses it is part of it."""
    return Usage(
        input=usage.input + usage.cache_read + usage.cache_write,
        output=usage.output,
        cached=usage.cache_read,
        cache_write=usage.cache_write,
    )


_READERS: dict[type, Callable[[Any, Any], list[Event]]] = {
    Init: Turn._init,
    Text: Turn._text,
    Thinking: Turn._thinking,
    ThinkingDone: Turn._thinking_done,
    ToolStarted: Turn._tool_started,
    ToolEnded: Turn._tool_ended,
    Result: Turn._result_came,
    AgentError: Turn._said_error,
}
