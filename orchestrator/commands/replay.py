"""`codex-shim replay`: play a recording to the running chain, or be the upstream that it was recorded from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import FAILED, ask_running, config_errors, fail, print_json, state

if TYPE_CHECKING:
    from ..sight.comparison import Row
    from ..sight.crossing import Crossing
    from ..sight.recording import Recording
    from ..trial.answer import Answer


def replay(
    file: Annotated[Path, typer.Argument(help="What `codex-shim record` wrote.")],
    other: Annotated[Path | None, typer.Argument(help="With --compare: another recording, instead of the running chain.")] = None,
    model: Annotated[str | None, typer.Option(help="Ask this model instead of the recorded one.")] = None,
    only: Annotated[list[int] | None, typer.Option(metavar="N", help="Only the Nth exchange; may be repeated.", min=1)] = None,
    hop: Annotated[str | None, typer.Option(help="Which hop of the recording, where it has several.")] = None,
    pace: Annotated[bool, typer.Option("--pace", help="With the pauses of the recording.")] = False,
    seconds: Annotated[float, typer.Option(help="How long to wait for each answer.", min=1)] = 600.0,
    serve: Annotated[bool, typer.Option("--serve", help="Be the upstream: give the recorded answers to whoever asks.")] = False,
    port: Annotated[int, typer.Option(help="With --serve: where to listen; a free port if it is 0.", min=0, max=65535)] = 0,
    compare: Annotated[bool, typer.Option("--compare", help="Show both sides: tokens, seconds, text, tool calls.")] = False,
    texts: Annotated[bool, typer.Option("--texts", help="With --compare: also how the texts differ.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Ask the running chain again what was recorded, one exchange after the other. Exit code 1 when one fails that had succeeded.

    --compare measures what a change of the chain saves; `replay A --compare B` compares two recordings and asks nobody. --serve is
    the provider instead, so that the same session can be had without a network and without a price.

    Example: codex-shim replay session.jsonl --model deepseek-chat --compare
    """
    if serve and (other or model or compare or only):
        fail("--serve plays the whole of one recording; leave out the second file, --model, --only and --compare", 2)
    if other and not compare:
        fail("a second recording is for --compare: `codex-shim replay A --compare B`", 2)
    if serve:
        from . import replay_serve

        raise typer.Exit(replay_serve.serve(*_exchanges(file, hop, last=True), pace=pace, port=port))
    exchanges, hop = _exchanges(file, hop)
    numbers = _numbers(only, len(exchanges), file)
    exchanges = [exchanges[number - 1] for number in numbers]
    if other is not None:
        found = _rows_of_files(exchanges, numbers, other, hop)
    else:
        found = _played(exchanges, numbers, model=model, pace=pace, seconds=seconds, quiet=json)
    if json:
        from ..sight.comparison import report

        print_json(report(found))
    elif compare:
        from . import compared

        compared.show(found, texts=texts)
    if any(row.lost for row in found):
        raise typer.Exit(FAILED)


def _exchanges(file: Path, hop: str | None, *, last: bool = False) -> tuple[list[Crossing], str]:
    """Those of one hop, and its name: each request stands once for every hop it was recorded at."""
    recording = _read(file)
    hops = recording.hops
    if not hops:
        fail(f"{file} holds no exchange")
    if hop is not None and hop not in hops:
        fail(f"{file} holds nothing of the hop `{hop}`; it has {', '.join(hops)}")
    chosen = hop or hops[-1 if last else 0]
    return recording.at(chosen), chosen


def _read(file: Path) -> Recording:
    from ..sight.recorder import load

    with config_errors():
        recording = load(file)
    if recording.cut:
        typer.echo(f"The last line of {file} is not whole and was left out.", err=True)
    return recording


def _numbers(only: list[int] | None, count: int, file: Path) -> list[int]:
    if only and max(only) > count:
        fail(f"{file} holds {count} exchanges, and no {max(only)}th")
    return sorted(set(only)) if only else list(range(1, count + 1))


def _rows_of_files(exchanges: Sequence[Crossing], numbers: list[int], other: Path, hop: str) -> list[Row]:
    from ..sight.comparison import rows
    from ..sight.outcome import answer_of

    recording = _read(other)
    others = recording.at(hop if hop in recording.hops else next(iter(recording.hops), hop))
    if len(others) < numbers[-1]:
        typer.echo(f"{other} holds {len(others)} exchanges; what is beyond has nothing beside it.", err=True)
    answers = [answer_of(others[number - 1]) for number in numbers if number <= len(others)]
    return rows([each.model for each in exchanges], [answer_of(each) for each in exchanges], answers, numbers)


# -- to the running chain -----------------------------------------------------------------------------------------------


def _played(
    exchanges: Sequence[Crossing], numbers: list[int], *, model: str | None, pace: bool, seconds: float, quiet: bool
) -> list[Row]:
    from ..sight.comparison import rows
    from ..sight.outcome import answer_of
    from ..sight.playing import Target, play

    origin = ask_running("status")["url"].removesuffix("/v1")
    target = Target(origin=origin, token=state.home.local_token(), model=model, seconds=seconds)
    began, found = time.monotonic(), []
    for number, crossing in zip(numbers, exchanges, strict=True):
        if pace:
            time.sleep(max(0.0, began + crossing.ts - exchanges[0].ts - time.monotonic()))
        answer = play(crossing, target)
        found += rows([model or crossing.model], [answer_of(crossing)], [answer], [number])
        if not quiet:
            typer.echo(_line(found[-1], answer))
    return found


def _line(row: Row, answer: Answer) -> str:
    mark, colour = ("✓", "green") if row.after and row.after.ok else ("✗", "red")
    told = f"{row.number:>3}  {row.model or '-'}  {answer.request_id}"
    if answer.trouble is not None:
        known = "" if row.before.ok else " (it had failed in the recording too)"
        return f"{typer.style(mark, fg=colour)} {told}  {answer.trouble.code}: {answer.trouble.message}{known}"
    usage = answer.usage or {}
    tokens = f"{usage.get('input_tokens', '-')} tokens in, {usage.get('output_tokens', '-')} out"
    same = "same text" if row.same_text else "other text"
    return (
        f"{typer.style(mark, fg=colour)} {told}  {_seconds(answer.first_token)} first  {_seconds(answer.whole)}  {tokens}  {same}"
    )


def _seconds(moment: Any) -> str:
    return "-" if moment is None else f"{moment:.2f} s"
