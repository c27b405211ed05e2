"""Egress to the user's Cursor subscription: one request is one run of `cursor-agent`, in a slot of its own.

The run is told what the conversation is (prompt.py), its output becomes the events of the response (turn.py), and it is ended with
all that it has started when the answer is whole, the client has left, or a clock has run out (agent.py).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from pathlib import Path
from typing import Any

from ..contract import compaction, summary
from ..contract.body import decode_object
from ..contract.errors import MODEL_NOT_FOUND, Failure, HopError, refuse
from ..contract.events import Event, ResponseBuilder, random_id
from ..kit.exchange import Exchange
from ..kit.settings import give_up
from ..kit.stage import Context, Stage
from . import failures, workspace
from .answering.turn import Turn
from .asking import prompt
from .asking.prompt import Prompt
from .codes import PROTOCOL_ERROR
from .config import Config
from .delivery import Answer, Kept, Overheard, StalledError, Streamed, Whole, ended
from .running import environment, limits, slots
from .running.agent import Run
from .running.child import Launch, StartError
from .running.pool import Lease, Pool
from .running.slots import Slot

WHO = "cursor-agent"
# `codex_shim` where it is installed, the checkout where it is not.
ROOT = Path(__file__).resolve().parents[2]
NO_BINARY = "there is no cursor-agent on this machine; install it, or name it by CURSOR_AGENT_BIN"
_MIB = 1 << 20


class EgressCursor(Stage[Config]):
    config_type = Config

    def __init__(self, context: Context[Config]) -> None:
        super().__init__(context)
        self._secret = secrets.token_bytes(32)
        self._pool: Pool | None = None

    async def open(self) -> None:
        config = self.context.config
        if not config.folder:
            give_up("egress_cursor is not told where its slots are; set `folder` in its configuration")
        try:
            claimed = await asyncio.to_thread(slots.claim, Path(config.folder), config.slots, self._tell_of_rest)
        except OSError as error:
            give_up(f"the folder of the Cursor slots, {config.folder}, cannot be used: {error.strerror or error}")
        self._pool = Pool(claimed, config.queue, config.queue_seconds, self.context.log.event)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    async def responses(self, exchange: Exchange) -> None:
        body = decode_object(await exchange.body())
        streamed = bool(body.get("stream"))
        answer = Streamed(exchange, self.context.config.stall_seconds) if streamed else Whole(exchange)
        if summary.is_asked(body):
            await self._summarise(exchange, body, answer)
        else:
            await self._converse(exchange, body, answer)

    async def compact(self, exchange: Exchange) -> None:
        body = decode_object(await exchange.body())
        kept = Kept()
        await self._summarise(exchange, body, kept)
        if (failure := compaction.read(kept.response).failure) is not None:
            raise HopError(failure)
        await exchange.reply(compaction.answer(kept.response))

    async def models(self, exchange: Exchange) -> None:
        data = [{"id": slug, "object": "model", "owned_by": "cursor"} for slug in self.context.config.models]
        await exchange.reply({"object": "list", "data": data, "models": []})

    async def health(self) -> dict[str, Any]:
        return {"pool": self._pool.state()} if self._pool else {}

    async def _summarise(self, exchange: Exchange, body: dict[str, Any], answer: Answer) -> None:
        """A response that holds nothing but the summary. Raises `HopError` where nothing of it is out."""
        builder, outcome = _builder_for(str(body.get("model") or "")), compaction.Outcome()
        overheard = Overheard(answer, builder.start())
        question = compaction.request(body)
        for _ in range(compaction.ATTEMPTS):
            try:
                await self._converse(exchange, question, overheard)
            except HopError as error:
                if not answer.begun or isinstance(error, StalledError):
                    raise
                outcome = compaction.Outcome(failure=error.failure)
                break
            outcome = compaction.read(overheard.response)
            if outcome.text or outcome.failure:
                break
        if outcome.text:
            item = summary.item(outcome.text, random_id("cmp"))
            await answer.send([*builder.item(item), *builder.complete(outcome.usage)])
        else:
            await answer.send(builder.fail(outcome.failure or compaction.EMPTY, outcome.usage))

    async def _converse(self, exchange: Exchange, body: dict[str, Any], answer: Answer) -> None:
        """One turn, in a slot. Raises `HopError` where nothing of an answer is out."""
        model = self._model(str(body.get("model") or ""))
        asked = prompt.build(body, prompt.nonce_of(body, self._secret))
        folder = await asyncio.to_thread(self._workspace, body, exchange)
        exchange.notes |= {"model": body.get("model"), "upstream": WHO, "left_out": asked.notes or None}
        assert self._pool is not None, "open() comes first"
        async with self._pool.lease() as lease:
            exchange.notes |= {"slot": lease.slot.number, "waited_ms": round(lease.waited * 1000)}
            attempt = _Attempt(exchange, asked, str(body.get("model") or ""), answer)
            if not await self._run(lease, attempt, folder, model, may_repeat=True):
                exchange.timing.again("the run came to nothing")
                await self._run(lease, attempt, folder, model, may_repeat=False)

    async def _run(self, lease: Lease, attempt: _Attempt, folder: Path | None, model: str, *, may_repeat: bool) -> bool:
        """False where it came to nothing, before its first event, and is worth another try."""
        if lease.run is not None and lease.run.ended is not None:
            await asyncio.shield(lease.run.ended)
        launch = await lease.on_disk(self._prepare, lease.slot, attempt.asked, folder, model)
        attempt.exchange.timing.sent()
        lease.run = Run(launch, self.context.config)
        try:
            async with lease.run:
                await lease.on_disk(lease.slot.remember, lease.run.pid)
                return await self._follow(lease.run, attempt, may_repeat=may_repeat)
        except StartError as error:
            raise HopError(self._cannot_start(error)) from error

    async def _follow(self, run: Run, attempt: _Attempt, *, may_repeat: bool) -> bool:
        began = time.monotonic()
        turn = Turn(_builder_for(attempt.slug), attempt.asked, home=str(Path.home()))
        try:
            events, stderr = await self._play(run, turn, attempt)
        finally:
            attempt.exchange.notes |= {"ran_ms": round((time.monotonic() - began) * 1000), **turn.counts}
        if may_repeat and _came_to_nothing(turn, stderr):
            return False
        run.good = turn.answered
        await self._finish(attempt, turn, events)
        return True

    async def _play(self, run: Run, turn: Turn, attempt: _Attempt) -> tuple[list[Event], str]:
        """Everything but the end of the response goes out. Returns the end, and the last of standard error."""
        try:
            while not turn.settled and (chunk := await run.read(begun=turn.begun, open_tools=turn.open_tools)):
                attempt.exchange.timing.read()
                events = turn.feed(chunk)
                if turn.failure is None or attempt.answer.begun:
                    await attempt.answer.send(events)
            code, stderr = (None, "") if turn.settled else await run.last_words()
        except StalledError:
            raise
        except HopError as error:
            return turn.fail(error.failure), ""
        return turn.finish(code, stderr), stderr

    async def _finish(self, attempt: _Attempt, turn: Turn, events: list[Event]) -> None:
        assert self._pool is not None
        self._pool.breaker.take(turn.failure, time.monotonic())
        response = ended(events) or {}
        code = turn.failure.code if turn.failure else response.get("status")
        attempt.exchange.notes |= {"ended": code, "usage": response.get("usage")}
        if turn.failure is not None:
            attempt.exchange.notes["error"] = turn.failure.message
            if not attempt.answer.begun:
                raise HopError(turn.failure)
        await attempt.answer.send(events)

    def _prepare(self, slot: Slot, asked: Prompt, folder: Path | None, model: str) -> Launch:
        config = self.context.config
        slot.prepare(slots.settings(os.environ, Path.home()))
        place = str(folder or slot.workspace)
        environ = environment.of_run(
            os.environ, config=str(slot.config), data=str(slot.data), temporary=str(slot.temporary), run_id=slot.run_id
        )
        return Launch(
            argv=[config.binary, *environment.arguments(place, model)],
            environ=environ,
            folder=place,
            content=asked.encode(),
            limits=limits.of_process(config),
            memory=config.memory_mib * _MIB,
            linger=config.linger_seconds,
            term=config.term_seconds,
        )

    def _model(self, slug: str) -> str:
        """The name that the program takes for a slug."""
        config = self.context.config
        if not config.binary:
            raise HopError(
                failures.unavailable(
                    "there is no cursor-agent on this machine; install it, or name it by CURSOR_AGENT_BIN", permanent=True
                )
            )
        if slug not in config.models:
            raise refuse(f"{WHO} serves no model named `{slug}`", status=404, code=MODEL_NOT_FOUND, param="model")
        return config.models[slug]

    def _workspace(self, body: dict[str, Any], exchange: Exchange) -> Path | None:
        """What the run looks at; None for the empty folder of its slot."""
        wanted = self.context.config.workspace
        if wanted == workspace.EMPTY:
            return None
        if wanted:
            folder = Path(wanted).expanduser()
            if not folder.is_absolute() or not folder.is_dir():
                remedy = "correct CODEX_SHIM_CURSOR_WORKSPACE, or `workspace` of [egress.cursor], then `codex-shim restart`"
                raise HopError(failures.misconfigured(f"the workspace for Cursor, {wanted}, is no folder; {remedy}"))
            return folder
        folders = [Path(each) for each in workspace.named(body, exchange.headers)]
        return next((each for each in folders if _is_usable(each)), None)

    def _cannot_start(self, error: StartError) -> Failure:
        return failures.misconfigured(
            f"{WHO} cannot be started ({error.strerror}); install it anew, or name it by CURSOR_AGENT_BIN"
        )

    def _tell_of_rest(self, number: int, left: list[int]) -> None:
        self.context.log.event("slot_retired", slot=number, processes=left)


class _Attempt:
    """What stays the same where a run is repeated."""

    def __init__(self, exchange: Exchange, asked: Prompt, slug: str, answer: Answer) -> None:
        self.exchange = exchange
        self.asked = asked
        self.slug = slug
        self.answer = answer


def _builder_for(slug: str) -> ResponseBuilder:
    return ResponseBuilder(slug, int(time.time()))


def _came_to_nothing(turn: Turn, stderr: str) -> bool:
    """Before its first event, and for no reason that would be the same again."""
    if turn.begun or turn.failure is None:
        return False
    return turn.failure.code == PROTOCOL_ERROR or failures.is_config_race(stderr)


def _is_usable(folder: Path) -> bool:
    return folder.is_absolute() and folder.is_dir() and not workspace.is_ours(folder.resolve(), ROOT)
