"""What the Cursor worker can be told. `Options` may stand under `[egress.cursor]`; the rest comes from the orchestrator."""

from __future__ import annotations

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Count = Annotated[int, msgspec.Meta(ge=1, le=64)]


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`slots` runs may go on at once, `queue` more may wait, each for `queue_seconds`.

    A run is ended after `start_seconds` without its first event, `idle_seconds` without any event, `tool_seconds` while one of
    Cursor's own tools runs, `stall_seconds` of a client that does not read, and `total_seconds` in any case; also beyond
    `memory_mib` of its whole process tree or `output_mib` of output.

    `workspace` is the folder the agent looks at: empty for the folder of the turn, `"none"` for an empty one, else a path.
    """

    slots: Count = 2
    queue: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 8
    queue_seconds: Seconds = 30.0
    start_seconds: Seconds = 30.0
    idle_seconds: Seconds = 90.0
    tool_seconds: Seconds = 120.0
    stall_seconds: Seconds = 30.0
    total_seconds: Seconds = 900.0
    memory_mib: Annotated[int, msgspec.Meta(ge=64)] = 2048
    output_mib: Annotated[int, msgspec.Meta(ge=1)] = 64
    workspace: str = ""


class Config(Options, kw_only=True):
    """`binary` is the program, empty where none was found; `folder` the one that holds the slots. `models` maps each slug to the
    name that `cursor-agent --model` takes. A run that has said all it had to say may end by itself for `linger_seconds`; one that
    is told to end has `term_seconds` before it is made to."""

    binary: str = ""
    folder: str = ""
    models: dict[str, str] = {}
    linger_seconds: Seconds = 0.5
    term_seconds: Seconds = 1.5
