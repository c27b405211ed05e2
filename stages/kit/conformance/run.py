"""All checks in order: which of them apply to a subject, and what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from . import backward, cancelling, forward, lifetime
from .bench import Bench
from .hop import listening
from .process import StartError, Tested
from .subject import Kind, Subject
from .verdict import BrokenError, Check, Outcome

CHECKS = (*forward.CHECKS, *backward.CHECKS, *cancelling.CHECKS, *lifetime.CHECKS)
_LIMIT_SECONDS = 30.0
_REACH_SECONDS = 5.0
_DYING_SECONDS = 0.2  # a connection is seen to break before its process is seen to have died

# What does not apply to a kind of stage, and why. Custom stages of every door must keep all of it.
EXEMPT: dict[Kind, dict[str, str]] = {
    "stage": {},
    "ingress": {},
    "router": {},
    "egress": {
        "*next": "an egress speaks to a provider; there is no next hop to script",
    },
}


async def examine(subject: Subject, only: Collection[str] = ()) -> AsyncIterator[Outcome]:
    """One outcome per check, as it is known; `only` limits them to these. Raises `StartError` where the stage does not come up."""
    async with AsyncExitStack() as stack:
        hop = await stack.enter_async_context(listening(subject.next_port)) if subject.next_port is not None else None
        process = Tested(subject) if subject.argv else None
        if process is not None:
            stack.push_async_callback(process.kill)
            await process.start()
        else:
            await _reached(subject.url)
        bench = Bench(subject, hop, process)
        stack.push_async_callback(bench.client.close)
        for check in CHECKS:
            if only and check.name not in only:
                continue
            reason = why_not(check, subject)
            fault = None if reason else await _fault(check, bench)
            verdict = "skip" if reason else "fail" if fault else "pass"
            yield Outcome(check=check.name, proves=check.proves, verdict=verdict, sentence=reason or fault or "")


async def _reached(url: str) -> None:
    """A stage that nobody has started is one fault, and not one of each check. Raises `StartError`."""
    address = urlsplit(url)
    try:
        async with asyncio.timeout(_REACH_SECONDS):
            _, writer = await asyncio.open_connection(address.hostname, address.port or 80)
    except (OSError, ValueError) as error:
        raise StartError(f"nobody answers at {url}; start what is to be checked first") from error
    writer.close()


def why_not(check: Check, subject: Subject) -> str | None:
    """Why a check does not apply, None where it does."""
    exempt = EXEMPT[subject.kind]
    if check.name in exempt:
        return exempt[check.name]
    if "next" in check.needs and "*next" in exempt:
        return exempt["*next"]
    if "next" in check.needs and subject.next_port is None:
        return "its next hop is not ours; point it at http://127.0.0.1:PORT and give the port with --next-port"
    if "process" in check.needs and not subject.argv:
        return "somebody else has started it, so it is not ours to stop"
    if "token" in check.needs and subject.token is None:
        return "no token is known; give the one it asks for with --token"
    if check.name == "health" and subject.ready == "tcp":
        return 'it is declared ready = "tcp", so it need not answer GET /health'
    return None


async def _fault(check: Check, bench: Bench) -> str | None:
    """A stage that has ended, or died of the check before, is started again."""
    process = bench.process
    try:
        if process is not None and not process.running:
            await process.kill()
            await process.start()
        bench.reset()
        async with asyncio.timeout(_LIMIT_SECONDS):
            await check.run(bench)
    except Exception as error:
        fault = _sentence(error)
        if process is not None and "process" not in check.needs and await process.ends_within(_DYING_SECONDS):
            fault = f"{fault}; the stage died: {process.last_words()}"
        return fault
    return None


def _sentence(error: BaseException) -> str:
    if isinstance(error, ExceptionGroup):
        return _sentence(error.exceptions[0])
    if isinstance(error, (BrokenError, StartError)):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"expected an end of this within {_LIMIT_SECONDS:.0f} s"
    return f"expected the shapes of the contract; what came could not be read ({type(error).__name__}: {error})"
