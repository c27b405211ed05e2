"""Finds the calls in a model's text while it comes. Pure.

A call counts where it is evidently meant as one: not inside a code fence, a span of code or a quotation, and not in the middle of a
sentence, with words before and behind it in its line. A fenced block of JSON is what people are shown as an example, too, so it
counts only where nothing but calls follows it, and where it fits the tool's schema.

Linear: what is held back is looked at again only where it turned out to be no call, and of that there is an end (`_IN_VAIN`).
What is decided does not depend on where the text was cut. White space behind a call belongs to it.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Literal

from . import forms
from .forms import Form
from .values import Called, Named, Offered

SIZE_LIMIT = 1024 * 1024

_SLICE = 4096
_IN_VAIN = 16 * SIZE_LIMIT
_TRIES = {"list": 64}
_MARKS = re.compile(r"[<\[`~]")
_TICKS = re.compile(r"`+|~+")
_SPACE = re.compile(r"\s*")
_FENCE = re.compile(r"```[ \t]{0,9}(?:jsonc?|tool_calls?|tool_code|)[ \t]{0,9}\n", re.IGNORECASE)
_FENCE_BEGUN = re.compile(r"`{1,3}|```[ \t]{0,9}[A-Za-z_]{0,10}[ \t]{0,9}")
_INFO_LIMIT = 200
_LONGEST_HEAD = 400  # more than any has
_QUOTES = "\"'(\N{LEFT DOUBLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}"
_CUT_TAG = re.compile(r"<[^<>]{0,40}\Z")

Piece = str | Called


class _Line:
    """What stands in the line so far."""

    def __init__(self) -> None:
        self.begun = False
        self._quoted = False
        self._ticks = 0
        self._last = ""

    def add(self, text: str) -> None:
        newline = text.rfind("\n")
        if newline >= 0:
            self.__init__()
            text = text[newline + 1 :]
        if not text:
            return
        if not self.begun and (words := text.lstrip()):
            self.begun, self._quoted = True, words.startswith(">")
        self._ticks += text.count("`")
        self._last = text[-1]

    @property
    def quotes(self) -> bool:
        """What comes next is shown and not said."""
        return self._quoted or self._ticks % 2 == 1 or (self._last != "" and self._last in _QUOTES)


class _Block:
    """One call that is being written, or several in one JSON value."""

    def __init__(self, form: Form, head: str) -> None:
        self.form: Form = form
        self.head = head
        self.tries = 0
        self.shown = ""
        self._parts: list[str] = []
        self._size = 0
        self._window = ""

    @property
    def body(self) -> str:
        return "".join(self._parts)

    def add(self, text: str) -> int | None:
        """Takes text up to where the block may end; the place behind that, None where it does not end in it."""
        before = len(self._window)
        window = self._window + text
        found = forms.ENDS[self.form].search(window)
        taken = text if found is None else text[: found.end() - before]
        self.shown = (self.shown + taken[: forms.SHOWN])[: forms.SHOWN]
        self._parts.append(taken)
        self._size += len(taken)
        self._window = window[-forms.END_LONGEST :] if found is None else ""
        return None if found is None else len(taken)

    @property
    def is_too_long(self) -> bool:
        return self._size > SIZE_LIMIT

    def read(self, *, closed: bool) -> list[Named] | None:
        text = self.head + self.body
        named = forms.read(self.form, text, closed=closed)
        if named is None and not closed and self.form != "fence":
            named = forms.read(self.form, _CUT_TAG.sub("", text), closed=False)
        return named


class _Group:
    """Calls that belong together. `held` is the text of what is not decided yet, `calls` are those in it."""

    def __init__(self, awaits: Literal["", "line", "end"]) -> None:
        self.awaits = awaits
        self.held: list[str] = []
        self.calls: list[Called] = []
        self.done = 0
        self.wrapped = False
        self.expects_json = False


class Reader:
    """Text in, cut anywhere; texts and calls out, in their order."""

    def __init__(self, offered: Offered) -> None:
        self._offered = offered
        self._line = _Line()
        self._fence = ""
        self._group: _Group | None = None
        self._block: _Block | None = None
        self._held = ""
        self._todo: list[str] = []  # the next comes last
        self._out: list[Piece] = []
        self._vain = 0

    @property
    def undecided(self) -> bool:
        """Whether what is held back would be calls if the text ended here."""
        return self._group is not None

    def feed(self, text: str) -> list[Piece]:
        if not self._held and self._group is None and self._block is None and not _MARKS.search(text):
            self._line.add(text)
            return [text] if text else []
        self._put_back(text)
        self._look()
        return self._given()

    def finish(self, *, complete: bool) -> list[Piece]:
        """The end of the text. Where it is `complete`, a call whose end the model forgot is one."""
        while self._block is not None:
            if not complete or not self._called(self._block, closed=False):
                self._no_call(self._block, "")
                self._look()
        held, self._held = self._held, ""
        if self._group is not None:
            held = self._end_group(self._group, held)
        self._say(held)
        return self._given()

    def _given(self) -> list[Piece]:
        """Texts that follow one another as one."""
        out, self._out = self._out, []
        given: list[Piece] = []
        for is_text, pieces in groupby(out, key=lambda piece: isinstance(piece, str)):
            found = list(pieces)
            given += ["".join(map(str, found))] if is_text else found
        return given

    def _put_back(self, text: str) -> None:
        """In front of what is still to be looked at."""
        self._todo += [text[begin : begin + _SLICE] for begin in range(0, len(text), _SLICE)][::-1]

    def _look(self) -> None:
        while self._todo:
            left, self._held = self._held + self._todo.pop(), ""
            while left:
                left = self._step(left)

    def _step(self, text: str) -> str:
        """What is still to be looked at."""
        if self._block is not None:
            return self._inside(self._block, text)
        if self._group is not None:
            return self._between(self._group, text)
        return self._outside(text)

    def _say(self, text: str) -> None:
        if text:
            self._line.add(text)
            self._out.append(text)

    def _hold(self, text: str) -> str:
        self._held = text
        return ""

    # -- outside of calls ---------------------------------------------------------------------------------------------

    def _outside(self, text: str) -> str:
        at = 0
        while self._vain < _IN_VAIN and (mark := _MARKS.search(text, at)):
            self._say(text[at : mark.start()])
            at = mark.start()
            length = self._ticks(text, at) if mark[0] in "`~" else self._bracket(text, at)
            if length is None:
                return self._hold(text[at:])
            if self._group is not None:
                return text[at + length :]
            self._say(text[at : at + length])
            at += length
        self._say(text[at:])
        return ""

    def _bracket(self, text: str, at: int) -> int | None:
        """How much is decided: the head of a call, or a character of text. None: nothing yet."""
        if self._fence or self._line.quotes:
            return 1
        head = forms.head(text, at)
        if head is None:
            return None if forms.head_begun(text[at : at + _LONGEST_HEAD]) else 1
        self._group = _Group("line" if self._line.begun else "")
        self._begin(self._group, head)
        return len(head[0])

    def _ticks(self, text: str, at: int) -> int | None:
        """The same for what may be a line that begins or ends a block of code."""
        run = _TICKS.match(text, at)
        assert run is not None
        length = len(run[0])
        if self._line.begun:
            return length
        newline = text.find("\n", at, at + _INFO_LIMIT)
        if newline < 0:
            return None if len(text) - at < _INFO_LIMIT else length
        info = text[at + length : newline]
        if length < 3 or "`" in info:
            return length
        if self._fence:
            ends = run[0].startswith(self._fence) and not info.strip()
            self._fence = "" if ends else self._fence
        elif _FENCE.match(text, at):
            self._group = _Group("end")
            self._begin_fence(self._group, text[at : newline + 1])
        else:
            self._fence = run[0]
        return newline + 1 - at

    # -- between the calls of a group -----------------------------------------------------------------------------------

    def _begin(self, group: _Group, head: re.Match[str]) -> None:
        group.held.append(head[0])
        form = head.lastgroup
        group.wrapped = group.wrapped or form in ("wrapper", "json")
        group.expects_json = form == "json"
        if form in ("invoke", "function", "list"):
            self._block = _Block(form, head[0])

    def _begin_fence(self, group: _Group, head: str) -> None:
        group.held.append(head)
        group.awaits, group.expects_json = "end", False
        self._block = _Block("fence", head)

    def _between(self, group: _Group, text: str) -> str:
        space = _SPACE.match(text)
        at = space.end() if space else 0
        new_line = "\n" in text[:at]
        if group.awaits == "line" and group.calls and new_line:
            self._commit(group)
        if at == len(text):
            return self._hold(text)
        char, rest = text[at], text[at : at + _LONGEST_HEAD]
        if group.expects_json and char in "{[":
            group.held.append(text[:at])
            group.expects_json = False
            self._block = _Block("json", "<tool_call>")
            return text[at:]
        if char == "`" and new_line:
            return self._fence_between(group, text, at)
        if char not in "<[":
            return self._leave(group, text)
        if head := forms.head(text, at):
            group.held.append(text[:at])
            self._begin(group, head)
            return text[head.end() :]
        if group.wrapped and group.done + len(group.calls) and (tail := forms.tail(text, at)):
            return self._unwrap(group, text[: tail.end()], text[tail.end() :])
        if forms.head_begun(rest) or (group.wrapped and forms.tail_begun(rest)):
            return self._hold(text)
        return self._leave(group, text)

    def _fence_between(self, group: _Group, text: str, at: int) -> str:
        fence = _FENCE.match(text, at)
        if fence:
            group.held.append(text[:at])
            self._begin_fence(group, fence[0])
            return text[fence.end() :]
        return self._hold(text) if _FENCE_BEGUN.fullmatch(text, at) else self._leave(group, text)

    def _unwrap(self, group: _Group, tail: str, rest: str) -> str:
        if group.held:
            group.held.append(tail)
        return rest

    def _leave(self, group: _Group, text: str) -> str:
        """Text follows. What waited for the end, or for the end of the line, was no call."""
        self._group = None
        if group.held:
            self._say("".join(group.held))
            return text
        space = _SPACE.match(text)
        return text[text.rfind("\n", 0, space.end() if space else 0) + 1 :]

    def _commit(self, group: _Group) -> None:
        self._out += group.calls
        group.done += len(group.calls)
        group.calls, group.held, group.awaits = [], [], ""
        self._line = _Line()

    def _end_group(self, group: _Group, held: str) -> str:
        """What is text of that which is held back at the end."""
        self._group = None
        is_over = not held.strip() or (group.wrapped and forms.tail_begun(held.strip()))
        if is_over and group.calls:
            self._commit(group)
        if group.held:
            self._say("".join(group.held))
            return held
        return "" if is_over else held

    # -- inside a call ------------------------------------------------------------------------------------------------

    def _inside(self, block: _Block, text: str) -> str:
        end = block.add(text)
        if block.is_too_long or not forms.may_become(block.form, block.shown, self._offered.has):
            self._vain += len(block.body) if block.is_too_long else 0
            return self._no_call(block, "" if end is None else text[end:])
        if end is None:
            return ""
        if not self._called(block, closed=True):
            block.tries += 1
            self._vain += len(block.body)
            if block.tries >= _TRIES.get(block.form, 8) or self._vain >= _IN_VAIN:
                return self._no_call(block, text[end:])
        return text[end:]

    def _called(self, block: _Block, *, closed: bool) -> bool:
        group = self._group
        named = block.read(closed=closed)
        calls = [self._offered.find(each, exactly=block.form == "fence") for each in named or ()]
        if group is None or not calls or None in calls:
            return False
        group.held.append(block.body)
        group.calls += [call for call in calls if call is not None]
        self._block = None
        if not group.awaits:
            self._commit(group)
        return True

    def _no_call(self, block: _Block, rest: str) -> str:
        """Its head is text, and so is what waited before it; what stands behind that is looked at again."""
        group, self._group, self._block = self._group, None, None
        self._say("".join(group.held) if group else "")
        self._fence = "```" if block.form == "fence" else ""
        self._put_back(block.body + rest)
        return ""
