"""Gemini contents, put together by the rules of the API.

User and model take turns, the user first and last. The calls of a model's turn are answered in the next one, all of them, in their
order, before anything else is said. What was said while answers were missing comes behind them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..parts import Part, join_text, text_part
from .parts import wire
from .signatures import SKIP, Mark

Content = dict[str, Any]

NO_OUTPUT = "(no output was recorded)"
_GO_ON = "Continue."


class _Turn:
    """The model's turn that is being put together, and the answers to its calls."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str]] = []
        self.waiting: set[str] = set()
        self.results: dict[str, list[Part]] = {}
        self.later: list[Part] = []
        self.signature: str | None = None

    def say(self, text: str) -> None:
        self.parts.append({"text": text})

    def call(self, id: str, name: str, arguments: dict[str, Any]) -> None:
        part: dict[str, Any] = {"functionCall": {"id": id, "name": name, "args": arguments}}
        if self.signature is not None:
            part["thoughtSignature"], self.signature = self.signature, None
        self.parts.append(part)
        self.calls.append((id, name))

    def sign_text(self, mark: Mark) -> None:
        """The end of the text becomes a part of its own: signed and unsigned text must not be one."""
        last = self.parts[-1] if self.parts else {}
        text = last.get("text")
        if mark.chars and isinstance(text, str) and len(text) >= mark.chars and "thoughtSignature" not in last:
            signed = {"text": text[-mark.chars :], "thoughtSignature": mark.sig}
            before = text[: -mark.chars]
            self.parts[-1:] = [{"text": before}, signed] if before else [signed]
        elif not mark.chars and self.parts:
            self.parts.append({"text": "", "thoughtSignature": mark.sig})

    def sign_first_call(self) -> None:
        """Of parallel calls only the first one has a signature."""
        first = next((part for part in self.parts if "functionCall" in part), None)
        if first is not None:
            first.setdefault("thoughtSignature", SKIP)

    def answers(self) -> list[dict[str, Any]]:
        images: list[Part] = []
        answers = [self._answer(id, name, images) for id, name in self.calls]
        return [*answers, *(wire(part) for part in [*images, *self.later])]

    def _answer(self, id: str, name: str, images: list[Part]) -> dict[str, Any]:
        text: list[Part] = []
        for part in self.results.get(id, [text_part(NO_OUTPUT)]):
            if part["type"] == "text":
                text.append(part)
            else:
                label = text_part(f"[attachment {len(images) // 2 + 1}, from {name} {id}]")
                text.append(label)
                images += [label, part]
        return {"functionResponse": {"id": id, "name": name, "response": {"output": join_text(text)}}}


class Contents:
    """Takes what happened (see `Conversation`), gives the contents. `skip` puts the sentinel where a signature is lost."""

    def __init__(self, *, skip: bool) -> None:
        self._skip = skip
        self._system: list[str] = []
        self._contents: list[Content] = []
        self._turn: _Turn | None = None

    def instruct(self, parts: list[Part]) -> None:
        """Part of the system instruction, or, once the talk has begun, marked text in its place."""
        at_start = not self._contents and self._turn is None
        if at_start and all(part["type"] == "text" for part in parts):
            self._system += [part["text"] for part in parts]
        elif parts:
            self.user([text_part("<developer>"), *parts, text_part("</developer>")])

    def user(self, parts: list[Part]) -> None:
        if self._turn is not None and self._turn.waiting:
            self._turn.later += parts
        elif parts:
            self._close_turn()
            self._add("user", [wire(part) for part in parts])

    def assistant(self, text: str) -> None:
        if text:
            self._open_turn().say(text)

    def state(self, fields: Mark) -> None:
        if fields.at == "call":
            self._open_turn().signature = fields.sig
        elif self._turn is not None:
            self._turn.sign_text(fields)

    def call(self, id: str, name: str, arguments: str, answered: bool) -> None:
        turn = self._open_turn()
        turn.call(id, name, msgspec.json.decode(arguments, type=dict[str, Any]))
        if answered:
            turn.waiting.add(id)

    def result(self, id: str, parts: list[Part]) -> None:
        turn = self._open_turn()
        turn.results[id] = parts
        turn.waiting.discard(id)
        if not turn.waiting:
            self._close_turn()

    def end(self) -> list[Content]:
        """Empty where nothing was said."""
        self._close_turn()
        if self._contents and self._contents[-1]["role"] == "model":
            self._add("user", [{"text": _GO_ON}])
        return self._contents

    def system(self, *more: str) -> dict[str, Any] | None:
        texts = [*self._system, *more]
        return {"parts": [{"text": "\n\n".join(texts)}]} if texts else None

    def _open_turn(self) -> _Turn:
        if self._turn is None:
            self._turn = _Turn()
        return self._turn

    def _close_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is None or not turn.parts:
            return
        if self._skip:
            turn.sign_first_call()
        if not self._contents:
            self._add("user", [{"text": _GO_ON}])
        self._add("model", turn.parts)
        if answers := turn.answers():
            self._add("user", answers)

    def _add(self, role: str, parts: list[dict[str, Any]]) -> None:
        if self._contents and self._contents[-1]["role"] == role:
            self._contents[-1]["parts"] += parts
        else:
            self._contents.append({"role": role, "parts": list(parts)})
