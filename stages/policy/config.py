"""The rules of the policy stage, as they stand in pipeline.toml: `do` says what a rule does, `when` which requests it is for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests a rule is for: those of which everything that is said here is true. Nothing said: all of them.

    `models` and `project` are globs, any of which fits: of the slug, and of the folder that Codex works in. `headers` maps names to
    globs, `fields` JSON paths to regular expressions that occur in the value as text. `says` is a regular expression that occurs in
    what the user said last. Sizes are estimated tokens of the whole request. `hours` is local time, like "22:00-06:00".
    """

    models: list[str] = []
    project: list[str] = []
    headers: dict[str, str] = {}
    fields: dict[str, str] = {}
    says: str | None = None
    tokens_above: int | None = None
    tokens_below: int | None = None
    images: bool | None = None
    hours: str | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """What every rule has."""

    when: When = When()


class Inject(Rule, frozen=True, kw_only=True, tag="inject"):
    """Add a message: `text`, or what stands in `file` when the chain starts or is reloaded.

    `at = "start"` puts it before everything, `"end"` behind the developer messages that open the conversation. Both places stay
    where they are from turn to turn, so the provider's prompt cache survives.
    """

    text: str = ""
    file: str = ""
    role: Literal["developer", "system"] = "developer"
    at: Literal["start", "end"] = "end"


class Set(Rule, frozen=True, kw_only=True, tag="set"):
    """Put `values` where their JSON paths lead, whatever stands there."""

    values: dict[str, Any]


class Default(Rule, frozen=True, kw_only=True, tag="default"):
    """Put `values` where their JSON paths lead, where nothing or null stands there."""

    values: dict[str, Any]


class Drop(Rule, frozen=True, kw_only=True, tag="drop"):
    """Take out what stands at these JSON paths."""

    paths: list[str]


class Replace(Rule, frozen=True, kw_only=True, tag="replace"):
    """Replace what the regular expression `pattern` finds in the texts at `path`, by `by`, in which \\1 stands for a group."""

    pattern: str
    by: str = ""
    path: str = "input"


class Deny(Rule, frozen=True, kw_only=True, tag="deny"):
    """Refuse the request with a sentence that the user is shown. Codex does not ask again."""

    sentence: str


class Route(Rule, frozen=True, kw_only=True, tag="route"):
    """Have another model answer: its slug, or one of the router's aliases."""

    to: str


class Dedupe(Rule, frozen=True, kw_only=True, tag="dedupe"):
    """A tool output or message that is the same as an earlier one is replaced by a line that says so.

    Only those of at least `least` characters. The first of them stays, so what was sent in the turn before stays as it was sent.
    """

    least: Annotated[int, msgspec.Meta(ge=1)] = 400
    what: list[Literal["outputs", "messages"]] = msgspec.field(default_factory=lambda: ["outputs", "messages"])


class Trim(Rule, frozen=True, kw_only=True, tag="trim"):
    """Old tool outputs of more than `above` characters keep their `head` and `tail`.

    The latest turn and the `keep` latest outputs before it stay whole. What is old is decided anew only every `step` outputs, so
    that the prompt cache is broken once in that many and not with each request.
    """

    above: Annotated[int, msgspec.Meta(ge=1)] = 4000
    head: Annotated[int, msgspec.Meta(ge=0)] = 1000
    tail: Annotated[int, msgspec.Meta(ge=0)] = 1000
    keep: Annotated[int, msgspec.Meta(ge=0)] = 10
    step: Annotated[int, msgspec.Meta(ge=1)] = 10


Kind = Literal["keys", "private_keys", "emails"]


class Redact(Rule, frozen=True, kw_only=True, tag="redact"):
    """Secrets and personal data become placeholders before they leave this machine.

    `patterns` are regular expressions of one's own, by the word that their placeholders hold: letters and single underscores. With
    `restore` a placeholder in the model's answer, its tool arguments included, is what it stood for again.
    """

    kinds: list[Kind] = msgspec.field(default_factory=lambda: ["keys", "private_keys"])
    patterns: dict[str, str] = {}
    restore: bool = True


class Repair(Rule, frozen=True, kw_only=True, tag="repair"):
    """Calls of offered tools that a model wrote into its text become calls, and patches for `apply_patch` are put in order."""

    calls: bool = True
    patches: bool = True


class Ask(Rule, frozen=True, kw_only=True, tag="ask"):
    """Ask an HTTP service of one's own what to do with the request (docs/policy.md says how), for `seconds` at most."""

    url: str
    seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = 2.0
    on_error: Literal["allow", "deny"] = "deny"


AnyRule = Inject | Set | Default | Drop | Replace | Deny | Route | Dedupe | Trim | Redact | Repair | Ask


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`rules` are applied in order, each to what the one before has left."""

    rules: list[AnyRule] = []


class Config(Options, kw_only=True):
    """Nothing is added by the orchestrator but the text of each `file`."""
