"""Scripted models that hold a whole conversation, and refuse with 400 a request that does not tell it as it was.

    models = Conversing(upstream, {"claude": MessagesLanguage(), "gem": GeminiLanguage("gemini-3-flash")})
    models.say("claude", Thought("Hm.", "c2ln"), Call("call_1", "exec_command", {"cmd": "ls"}))
    models.say("claude", Words("Done."))

Each request must hold all that was said before it, in order: what the asked model said itself with its thoughts and their seals,
what another one said without. And it must begin, to the byte, with the whole request before it, as long as the model is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import prefixes
from chat_answers import Answer, refuses
from prefixes import Sent
from said import Language, Said, Thought
from scripted_upstream import ScriptedUpstream
from upstream_connection import Received


class _Planned(NamedTuple):
    model: str
    said: tuple[Said, ...]
    tokens: int
    summary: bool


class Conversing:
    """`problems` is what was wrong with requests; a test ends with `check`. `summarised` are the requests for a summary."""

    def __init__(self, upstream: ScriptedUpstream, languages: Mapping[str, Language]) -> None:
        self._languages = languages
        self._upstream = upstream
        self._plan: list[_Planned] = []
        self._log: list[tuple[str, tuple[Said, ...]]] = []
        self._last: tuple[str, Sent] | None = None
        self.problems: list[str] = []
        self.summarised: list[Received] = []
        upstream.script(self._answer)

    def say(self, model: str, *said: Said, tokens: int = 100) -> None:
        """What `model` says to the next request that nothing is planned for yet. `tokens`: the length of the prompt."""
        self._plan.append(_Planned(model, said, tokens, summary=False))

    def summarise(self, model: str, *said: Said) -> None:
        """The next request asks for a summary; after it the history is gone."""
        self._plan.append(_Planned(model, said, 100, summary=True))

    @property
    def last(self) -> Received:
        return self._upstream.requests[-1]

    def results(self, model: str) -> dict[str, str]:
        """What the last request says of the calls."""
        return self._languages[model].results_in(self.last.body)

    def pictures(self, model: str) -> int:
        return self._languages[model].pictures_in(self.last.body)

    def check(self) -> None:
        assert not self.problems, "\n".join(self.problems)
        assert not self._plan, f"{len(self._plan)} answers were never asked for"

    # -- in the thread of the upstream ---------------------------------------------------------------------------------

    def _answer(self, request: Received) -> Answer:
        problem = self._problem_of(request)
        if problem:
            self.problems.append(f"request {request.number} ({request.path}): {problem}")
            return refuses(400, {"error": {"message": problem, "type": "invalid_request_error"}})
        planned = self._plan.pop(0)
        language = self._languages[planned.model]
        if planned.summary:
            self._log, self._last = [], None
            self.summarised.append(request)
        else:
            self._log.append((planned.model, planned.said))
            self._last = (planned.model, prefixes.read(request.raw))
        return language.answer(planned.said, planned.tokens)

    def _problem_of(self, request: Received) -> str | None:
        if not self._plan:
            return "nothing more was to be asked"
        planned = self._plan[0]
        language = self._languages[planned.model]
        if request.path != language.path:
            return f"{planned.model} was to be asked at {language.path}"
        body = request.body
        due = [each for model, said in self._log for each in (language.own if model == planned.model else language.foreign)(said)]
        if (given := language.said_in(body)) != due:
            return f"the model is told it said\n  {given}\nbut what it must be told is\n  {due}"
        if foreign := [seal for seal in self._seals(except_of=planned.model) if seal in request.text]:
            return f"another model's state was sent: {foreign}"
        if "csh1." in request.text:
            return "an envelope of the chain was sent"
        return None if planned.summary else self._changed(planned.model, prefixes.read(request.raw))

    def _seals(self, except_of: str) -> list[str]:
        return [each.seal for model, said in self._log if model != except_of for each in said if isinstance(each, Thought)]

    def _changed(self, model: str, sent: Sent) -> str | None:
        asked, before = self._last or (None, None)
        return prefixes.difference(before, sent) if before is not None and asked == model else None
