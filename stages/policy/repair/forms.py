"""The forms in which models write calls into their text: how they begin, where they end, and what they say. Pure.

<invoke name="shell"><parameter name="cmd">ls</parameter></invoke>      in <function_calls> or not, also with a prefix: <x:invoke …>
<function=shell><parameter=cmd>ls</parameter></function>                in <tool_call> or not
<tool_call>{"name": "shell", "arguments": {"cmd": "ls"}}</tool_call>
[TOOL_CALLS][{"name": "shell", "arguments": {"cmd": "ls"}}]
a fenced block of JSON that is such an object
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from .values import Named, decoded

Form = Literal["wrapper", "json", "invoke", "function", "list", "fence"]

_PREFIX = r"(?:[A-Za-z][\w-]{0,15}:|\uff5cDSML\uff5c)?"
_QUOTED = r"""(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))"""
_HEAD = re.compile(
    rf"<{_PREFIX}(?:(?P<wrapper>function_calls|tool_calls)\s{{0,9}}>|(?P<json>tool_call)\s{{0,9}}>"
    rf"|(?P<invoke>invoke\s[^<>]{{0,300}})>|(?P<function>function=[^<>\s]{{1,128}})\s{{0,9}}>)|(?P<list>\[TOOL_CALLS\])"
)
_TAIL = re.compile(rf"</{_PREFIX}(?:function_calls|tool_calls|tool_call)\s{{0,9}}>")
_HEAD_BEGUN = re.compile(
    rf"<{_PREFIX}(?:function_calls\s{{0,9}}|tool_calls?\s{{0,9}}|invoke\s[^<>]{{0,300}}|function=[^<>\s]{{0,128}}\s{{0,9}})"
)
_WORDS = ("function_calls", "tool_calls", "invoke", "function=")
_LIST = "[TOOL_CALLS]"

_INVOKE = re.compile(rf"<{_PREFIX}invoke\s+name\s*=\s*{_QUOTED}[^<>]*>(.*?)(</{_PREFIX}invoke\s*>)?", re.DOTALL)
_PARAMETER = rf"<{_PREFIX}parameter\s+name\s*=\s*{_QUOTED}[^<>]*>"
_FUNCTION = re.compile(rf"<{_PREFIX}function=([^<>\s]+)\s*>(.*?)(</{_PREFIX}function\s*>)?", re.DOTALL)
_QWEN_PARAMETER = rf"<{_PREFIX}parameter=\s*([^<>\s]+)()()\s*>"

ENDS = {
    "json": re.compile(rf"</{_PREFIX}tool_call\s{{0,9}}>"),
    "invoke": re.compile(rf"</{_PREFIX}invoke\s{{0,9}}>"),
    "function": re.compile(rf"</{_PREFIX}function\s{{0,9}}>"),
    "list": re.compile(r"\]"),
    "fence": re.compile(r"\n[ ]{0,3}```"),
}
# At least as long as anything that an end matches.
END_LONGEST = 48
# What the beginning of a block is made of, the end of the text being unknown yet.
_BODY_BEGUN = {
    "invoke": re.compile(rf"\s*(?:$|</?{_PREFIX}(?:$|parameter|invoke))"),
    "function": re.compile(rf"\s*(?:$|\{{|</?{_PREFIX}(?:$|parameter|function))"),
    "list": re.compile(r"\s*(?:$|[\[{])"),
}
_BODY_WORDS = ("parameter", "invoke", "function")
_FIRST_KEY = re.compile(r'\s*(?:\[\s*)?(?:$|\{\s*(?:$|"(?:$|([A-Za-z_]{1,12})(?:$|(")))))')
_FIRST_NAME = re.compile(r'\s*(?:\[\s*)?\{\s*"(?:name|tool|tool_name)"\s*:\s*"([^"\\]*)"')
_NAMES, _ARGUMENTS = ("name", "tool", "tool_name"), ("arguments", "parameters", "input", "args")
_OTHERS = ("id", "type", "call_id")
_KEYS = (*_NAMES, *_ARGUMENTS, *_OTHERS)
SHOWN = 200


def head(text: str, at: int) -> re.Match[str] | None:
    """A tag that begins a call, or what calls are wrapped in; its `lastgroup` is the form."""
    return _HEAD.match(text, at)


def tail(text: str, at: int) -> re.Match[str] | None:
    """A tag that ends what calls are wrapped in."""
    return _TAIL.match(text, at)


def head_begun(text: str) -> bool:
    """Whether the whole of a text may be the beginning of a `head`."""
    return _LIST.startswith(text) or bool(_HEAD_BEGUN.fullmatch(text)) or _word_begun(text, "<", _WORDS)


def tail_begun(text: str) -> bool:
    return _word_begun(text, "</", ("function_calls", "tool_calls", "tool_call")) or bool(
        re.fullmatch(rf"</{_PREFIX}(?:function_calls|tool_calls?)\s{{0,9}}", text)
    )


def may_become(form: Form, shown: str, has: Callable[[str], bool]) -> bool:
    """Whether a block may still be a call, by the first `SHOWN` characters behind its head. `has` knows the offered tools."""
    if form in ("json", "fence"):
        return _json_begun(shown, has)
    if _BODY_BEGUN[form].match(shown):
        return True
    start = shown.lstrip()
    return _word_begun(start, "<", _BODY_WORDS) or _word_begun(start, "</", _BODY_WORDS)


def read(form: Form, text: str, *, closed: bool) -> list[Named] | None:
    """The calls that a block says, from its head to its end; None where it says none. Not `closed`: the model forgot the end, but
    each value must be whole."""
    try:
        if form == "invoke":
            return [_tagged(_INVOKE, _PARAMETER, text, closed, name_groups=3)]
        if form == "function":
            return [_tagged(_FUNCTION, _QWEN_PARAMETER, text, closed, name_groups=1)]
        return _json(form, text)
    except (ValueError, TypeError):
        return None


def _word_begun(text: str, start: str, words: tuple[str, ...]) -> bool:
    """Up to the first letter behind a word, with or without a prefix, of which all may still be missing."""
    if not text.startswith(start):
        return start.startswith(text)
    name = text[len(start) :]
    if re.fullmatch(r"(?:[A-Za-z][\w-]{0,15})?", name) or "\uff5cDSML\uff5c".startswith(name):
        return True
    rest = re.sub(rf"^{_PREFIX}", "", name, count=1)
    return rest != name and any(word.startswith(rest) for word in words)


def _json_begun(body: str, has: Callable[[str], bool]) -> bool:
    match, name = _FIRST_KEY.match(body), _FIRST_NAME.match(body)
    if match is None or (name is not None and not has(name[1])):
        return False
    key, ended = match[1], match[2]
    return key is None or (key in _KEYS if ended else any(word.startswith(key) for word in _KEYS))


def _tagged(whole: re.Pattern[str], parameter: str, text: str, closed: bool, *, name_groups: int) -> Named:
    match = whole.fullmatch(text)
    if match is None:
        raise ValueError("no block of this form")
    name = next(filter(None, match.groups()[:name_groups]), "")
    body = match[name_groups + 1].strip()
    if body.startswith("{"):
        return Named(name, decoded(body))
    given = _parameters(parameter, body, closed=closed)
    if not given and not closed:
        raise ValueError("begun and no more")
    return Named(name, given, texts=True)


def _parameters(opening: str, body: str, *, closed: bool) -> dict[str, str]:
    """One behind the other and nothing between. Where the model forgot to close one, the next one closes it, or the block."""
    begin = r"<" + _PREFIX + r"parameter[\s=]"
    strict = re.compile(rf"{opening}(.*?)</{_PREFIX}parameter\s*>\s*(?={begin}|\Z)", re.DOTALL)
    loose = re.compile(rf"{opening}((?:(?!{begin}).)*?)(?:</{_PREFIX}parameter\s*>)?\s*(?={begin}|\Z)", re.DOTALL)
    found: dict[str, str] = {}
    at = 0
    while at < len(body):
        match = strict.match(body, at) or (loose.match(body, at) if closed else None)
        if match is None:
            raise ValueError("not only parameters")
        name = match[1] or match[2] or match[3]
        if not name or name in found:
            raise ValueError("a parameter without a name, or twice")
        found[name] = _unwrapped(match[4])
        at = match.end()
    return found


def _unwrapped(value: str) -> str:
    """A value that stands on lines of its own is without the line feeds around it."""
    return value[1:].removesuffix("\n") if value.startswith("\n") else value


def _json(form: Form, text: str) -> list[Named]:
    if form == "fence":
        body = text.partition("\n")[2]
        body = body[: body.rindex("```")] if "\n" in body and body.rstrip().endswith("```") else body
    elif form == "list":
        body = text[len(_LIST) :]
    else:
        body = re.sub(rf"</{_PREFIX}tool_call\s*>\Z", "", text.partition(">")[2])
    value = decoded(body)
    return [_named(each) for each in (value if isinstance(value, list) else [value])]


def _named(value: Any) -> Named:
    """Exactly a call: a name, arguments, and at most what numbers it."""
    if not isinstance(value, dict):
        raise TypeError("no object")
    names, arguments = ([key for key in value if key in keys] for keys in (_NAMES, _ARGUMENTS))
    if len(names) != 1 or len(arguments) > 1 or not isinstance(value[names[0]], str) or set(value) - set(_KEYS):
        raise ValueError("no call")
    return Named(value[names[0]], value[arguments[0]] if arguments else {})
