"""The command line of the checks. Exit code 0 when nothing failed, 1 otherwise, 2 for wrong usage.

`codex-shim stage check` hands its subject over on standard input (`--subject -`), because its environment may hold secrets, which
have no place in an argument.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
import time
from pathlib import Path

import msgspec

from . import junit
from .advice import ADVICE
from .process import StartError
from .run import CHECKS, examine
from .subject import Subject, started
from .verdict import Outcome


def main() -> None:
    parser = _parser()
    arguments = parser.parse_args()
    known = [check.name for check in CHECKS]
    if unknown := [name for name in arguments.only if name not in known]:
        print(f"error: there is no check `{unknown[0]}`; there are {', '.join(known)}", file=sys.stderr)
        raise SystemExit(2)
    subject = msgspec.structs.replace(_subject(arguments), patience=arguments.patience)
    with asyncio.Runner() as runner:
        raise SystemExit(runner.run(_run(subject, arguments.only, as_json=arguments.json, junit_file=arguments.junit)))


async def _run(subject: Subject, only: list[str], *, as_json: bool, junit_file: Path | None) -> int:
    began = time.perf_counter()
    outcomes: list[Outcome] = []
    error = None
    try:
        async for outcome in examine(subject, only):
            outcomes.append(outcome)
            if not as_json and outcome.verdict != "skip":
                print(_line(outcome), flush=True)
    except (StartError, OSError) as problem:
        error = str(problem)
    if junit_file is not None:
        error = _write(junit_file, junit.report(subject.name, outcomes, error, time.perf_counter() - began)) or error
    failed = error is not None or any(outcome.verdict == "fail" for outcome in outcomes)
    if as_json:
        print(_json(subject, outcomes, error))
    else:
        for line in _skipped(outcomes):
            print(line)
        print(_painted(f"error: {error}", "31") if error else _summary(outcomes, time.perf_counter() - began))
    return 1 if failed else 0


def _write(file: Path, text: str) -> str | None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        return f"{file} cannot be written: {problem.strerror}"
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -P -m codex_shim.stages.kit.conformance", description="Check one stage.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--script", metavar="FILE", help="a script stage")
    what.add_argument("--module", metavar="NAME", help="a typed stage, as `python -m` takes it")
    what.add_argument("--command", nargs=argparse.REMAINDER, help="a program; {port}, {listen} and {next} are filled in")
    what.add_argument("--url", help="a stage that runs already")
    what.add_argument("--subject", metavar="-", choices=["-"], help="a Subject as JSON on standard input")
    parser.add_argument("--config", metavar="FILE", help="the stage's own table, as JSON")
    parser.add_argument("--token", help="with --url: the token it asks for")
    parser.add_argument("--next-port", type=int, help="with --url: the port it sends to, where the scripted next hop listens")
    parser.add_argument("--only", metavar="CHECK", action="append", default=[], help="this check only; may be given again")
    parser.add_argument("--patience", type=float, default=5.0, help="seconds to wait for anything (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="write a report for CI systems, in the format of JUnit, too")
    return parser


def _subject(arguments: argparse.Namespace) -> Subject:
    if arguments.subject:
        return msgspec.json.decode(sys.stdin.buffer.read(), type=Subject)
    if arguments.url:
        url = arguments.url.rstrip("/").removesuffix("/v1")
        return Subject(name=url, url=url, next_port=arguments.next_port, token=arguments.token, hop_token=arguments.token)
    python = [sys.executable, "-P", "-m"]
    if arguments.script:
        name, argv = arguments.script, [*python, "codex_shim.stages.kit.script", arguments.script]
    elif arguments.module:
        name, argv = arguments.module, [*python, arguments.module]
    else:
        name, argv = arguments.command[0], list(arguments.command)
    return started(name, argv, dict(os.environ), arguments.config, secrets.token_urlsafe(16))


def _line(outcome: Outcome) -> str:
    mark = _painted("✓", "32") if outcome.verdict == "pass" else _painted("✗", "31")
    more = [outcome.sentence, _advice(outcome)] if outcome.verdict == "fail" else [outcome.sentence]
    return "\n    ".join([f"{mark} {outcome.check:<17} {outcome.proves}", *filter(None, more)])


def _advice(outcome: Outcome) -> str:
    return f"→ {ADVICE[outcome.check]}" if outcome.check in ADVICE else ""


def _skipped(outcomes: list[Outcome]) -> list[str]:
    """One line for each reason."""
    reasons: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.verdict == "skip":
            reasons.setdefault(outcome.sentence, []).append(outcome.check)
    return [_painted(f"– skipped {', '.join(names)}:\n    {reason}", "2") for reason, names in reasons.items()]


def _summary(outcomes: list[Outcome], seconds: float) -> str:
    counts = {verdict: sum(outcome.verdict == verdict for outcome in outcomes) for verdict in ("pass", "fail", "skip")}
    words = f"{counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped in {seconds:.1f} s"
    return _painted(words, "31" if counts["fail"] else "32")


def _json(subject: Subject, outcomes: list[Outcome], error: str | None) -> str:
    found = {"stage": subject.name, "url": subject.url, "error": error, "checks": outcomes}
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def _painted(text: str, colour: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


if __name__ == "__main__":
    main()
