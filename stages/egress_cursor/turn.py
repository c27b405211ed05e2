"""One run of `cursor-agent` → the events of one response. Pure.

How it is driven:

    turn = Turn(builder, prompt)
    while chunk := await read():            # standard output, cut anywhere
        send(turn.feed(chunk))              # begins with response.created once there is something to show
        if turn.settled: break              # nothing more is wanted: end the process
    send(turn.finish(exit_code, stderr))    # exactly one terminal event, whatever happened
    # timeouts, caps and the like instead: send(turn.fail(failure))

While nothing has been sent, `failure` can still become a plain HTTP status: check it before sending what `finish` gave.
"""

from __future__ import annotations

from ..contract.errors import Failure
from ..contract.events import Event, ResponseBuilder
from .prompt import Prompt


class Turn:
    def __init__(self, builder: ResponseBuilder, prompt: Prompt) -> None:
        self.begun = False
        """The first event of the agent has come: its start clock stops, and the run must not be tried again."""
        self.open_tools = 0
        """Tools of Cursor's own that run now: while there are some, silence is no hang."""
        self.settled = False
        """Nothing more is wanted: a result, complete calls with something behind them, or a violation. End the process."""
        self.failure: Failure | None = None
        """Why the turn fails, as soon as that is known."""

    @property
    def ended(self) -> bool:
        """The terminal event has been given out."""
        raise NotImplementedError

    @property
    def started(self) -> bool:
        """Events have been given out, so a failure has to be told as one of them."""
        raise NotImplementedError

    @property
    def counts(self) -> dict[str, int]:
        """For the log: noise, unknown and odd lines, Cursor's own tools by outcome. Nothing of the content."""
        raise NotImplementedError

    def feed(self, chunk: bytes) -> list[Event]:
        raise NotImplementedError

    def finish(self, exit_code: int | None = None, stderr: str = "") -> list[Event]:
        """The run is over. `stderr` is its last 16 KiB; `exit_code` None where the process was ended by us or is not known."""
        raise NotImplementedError

    def fail(self, failure: Failure) -> list[Event]:
        """The run was ended for a reason of ours: a timeout, a cap, a shutdown. `[]` where the turn has ended already."""
        raise NotImplementedError
