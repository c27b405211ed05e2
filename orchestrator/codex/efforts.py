"""Which levels of reasoning Codex may offer for a model: those that its provider tells apart. Pure.

Several words of Codex's may mean the same to a provider; then one of them is offered, by its own name where it has it. A model that
cannot be told how hard to think has no level: Codex 0.169.0 takes an empty list, and sends no effort then.

Rule of this file: what a dialect does with an effort is said in the dialect; here stands which words lead to different things, and
a test holds both together.
"""

from __future__ import annotations

import re

import msgspec
from codex_shim.stages.egress_http.config import Quirks

from ..settings.models import ModelRow

WORDS = {
    "none": "Answers without thinking first",
    "minimal": "As little thinking as possible",
    "low": "Fast responses with lighter reasoning",
    "medium": "Balances speed and reasoning depth",
    "high": "Greater reasoning depth for complex problems",
    "xhigh": "Extra high reasoning depth for complex problems",
    "max": "All the reasoning that the model has",
}
USUAL = ("low", "medium", "high")
_ON = "medium"  # what thinking is called that can only be switched

_ALWAYS = ("low", "medium", "high", "xhigh", "max")
# The first whose name is part of the model's. A later Claude is taken for one like the latest.
_CLAUDES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sonnet-5-5", _ALWAYS),
    ("opus-5-5", _ALWAYS),
    ("haiku-5-5", ("none", *_ALWAYS)),
    ("opus-5", ("none", *_ALWAYS)),
    ("fable-5", _ALWAYS),
    ("opus-4-8", ("none", *_ALWAYS)),
    ("opus-4-7", ("none", *_ALWAYS)),
    ("sonnet-5", ("none", *_ALWAYS)),
    ("4-6", ("none", "low", "medium", "high", "max")),
    ("4-5", ("none", *USUAL)),
    ("sonnet-4", ("none", *USUAL)),
    ("opus-4", ("none", *USUAL)),
    ("3-7", ("none", *USUAL)),
    ("3-5", ()),
)
_TO_XHIGH = ("low", "medium", "high", "xhigh")
# The first whose pattern fits the beginning of the model's name, which may end with a date. A later GPT is taken for one like the
# latest, and a name of nobody's (a deployment, another's server) for what all servers of this API know.
_OPENAIS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"gpt-[34]|chatgpt-|o1-(mini|preview)|gpt-5-chat", ()),
    (r"gpt-5\.\d+-chat|o\d.*-deep-research", (_ON,)),
    (r"gpt-5-pro", ("high",)),
    (r"gpt-5\.\d+-pro", ("medium", "high", "xhigh")),
    (r"gpt-5-codex|gpt-5\.1-codex(?!-max)", USUAL),
    (r"gpt-5\.\d+-codex", _TO_XHIGH),
    (r"gpt-5\.1", ("none", *USUAL)),
    (r"gpt-5\.[2-5]", ("none", *_TO_XHIGH)),
    (r"gpt-5\.|gpt-6-(sol|luna)", ("none", *_ALWAYS)),
    (r"gpt-5", ("minimal", *USUAL)),
    (r"gpt-\d", _ALWAYS),
)
_GEMINI = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_GEMINI_ALIAS = re.compile(r"gemini-(pro|flash|flash-lite)-latest")


class Levels(msgspec.Struct, frozen=True):
    """`default` is one of `efforts`, None where there is none."""

    efforts: tuple[str, ...]
    default: str | None

    @property
    def described(self) -> list[dict[str, str]]:
        return [{"effort": effort, "description": WORDS[effort]} for effort in self.efforts]


NONE = Levels((), None)
USUAL_LEVELS = Levels(USUAL, _ON)


def levels(row: ModelRow) -> Levels:
    """In ascending order."""
    match row.dialect:
        case "chat":
            efforts = _chat(row.quirks)
        case "messages":
            efforts = _claude(row.model)
        case "gemini":
            efforts = _gemini(row.model)
        case _:
            efforts = _openai(row.model)
    return _levels(efforts, row.quirks.efforts)


def _levels(efforts: tuple[str, ...], means: dict[str, str]) -> Levels:
    """What `medium` means is the default, else the least thinking that there is."""
    wanted = (_ON, means.get(_ON, _ON), "high", *efforts)
    return Levels(efforts, next((effort for effort in wanted if effort in efforts), None))


def _chat(quirks: Quirks) -> tuple[str, ...]:
    if quirks.effort == "drop":
        return () if quirks.thinking == "drop" else ("none", _ON)
    off = {"none"} if quirks.thinking != "drop" else set[str]()
    spoken = [word for word in WORDS if word in (*USUAL, *quirks.efforts, *quirks.efforts.values())]
    meaning = {word: quirks.efforts.get(word, word) for word in spoken if word not in off}
    told = dict.fromkeys(sent for sent in meaning.values() if sent)
    return _sorted(off | {_name(sent, [word for word in spoken if meaning.get(word) == sent]) for sent in told})


def _name(sent: str, words: list[str]) -> str:
    """Codex's word for what is sent."""
    return sent if sent in words else _ON if _ON in words else words[0]


def _claude(model: str) -> tuple[str, ...]:
    name = model.lower().replace(".", "-")
    if "claude" not in name:
        return ("none", *USUAL)
    return next((efforts for part, efforts in _CLAUDES if part in name), _ALWAYS)


def _gemini(model: str) -> tuple[str, ...]:
    generation, pro = _generation(model), "pro" in model
    if generation < (2, 5):
        return ()
    if generation < (3, 0):
        return USUAL if pro else ("none", *USUAL)
    if not pro:
        return ("minimal", *USUAL)
    return ("low", "high") if generation == (3, 0) else USUAL


def _generation(model: str) -> tuple[int, int]:
    if found := _GEMINI.search(model):
        return int(found[1]), int(found[2] or 0)
    return (2, 5) if _GEMINI_ALIAS.search(model) else (0, 0)


def _openai(model: str) -> tuple[str, ...]:
    """The native API, which refuses an effort that the model does not have."""
    name = model.lower().rpartition("/")[2]
    return next((efforts for pattern, efforts in _OPENAIS if re.match(pattern, name)), USUAL)


def _sorted(efforts: set[str]) -> tuple[str, ...]:
    return tuple(word for word in WORDS if word in efforts)
