"""One `[[stage]]` table: what each kind of stage may be told, and that what it names exists.

Rule of this file: it looks at one table alone; what several of them must keep together is in chain_rules.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
from codex_shim.stages.ingress.config import Options as IngressOptions
from codex_shim.stages.policy.config import Options as PolicyOptions
from codex_shim.stages.router.config import Options as RouterOptions

from . import policy_rules
from .addresses import read_listen, read_url
from .positions import Path as At
from .problems import did_you_mean, nearest
from .strict import Reader, valid_part
from .values import Sealed

BUILTIN_OPTIONS: dict[str, type[msgspec.Struct]] = {"ingress": IngressOptions, "policy": PolicyOptions, "router": RouterOptions}
BUILTIN_STAGES = tuple(BUILTIN_OPTIONS)
DERIVED_STAGES = ("egress_http", "egress_cursor", "egress_demo")

# The workers whose names are known before the models are, and whom each serves.
DEMO_EGRESS = "demo"
TAKEN_NAMES = {
    DEMO_EGRESS: "where no model is set up",
    "chatgpt": "a ChatGPT subscription",
    "cursor": "a Cursor subscription",
    "desk": "the picker page",
    "otel": "the export of traces",
}

DOORS = ("use", "script", "command", "url")
_CUSTOM = ("name", "ready", "listen", "env", "config")
_KEYS = {
    "builtin": ("name", "use", "listen"),
    "use": ("use", "path", *_CUSTOM),
    "script": ("script", *_CUSTOM),
    "command": ("command", *_CUSTOM),
    "url": ("name", "url", "ready"),
}
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_NAME = re.compile(r"[a-z0-9-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class StageKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that have one meaning whatever the stage is."""

    name: str
    use: str | None = None
    script: str | None = None
    command: list[str] | None = None
    url: str | None = None
    ready: Literal["health", "tcp"] = "health"
    listen: str | None = None
    env: dict[str, str] = {}
    path: str | None = None
    config: dict[str, Any] = {}


class StageTable(StageKeys, frozen=True, kw_only=True):
    """Exactly one of `use`, `script`, `command`, `url` is set; paths are absolute; `env` is not expanded yet.

    `options` is the decoded struct of a built-in stage, and None for a custom one, which has `config` instead.
    """

    options: msgspec.Struct | None = None

    @property
    def builtin(self) -> bool:
        return self.use in BUILTIN_OPTIONS


class StageReader:
    """Reads stage tables of one file. `folder` is the file's own; `which` finds programs."""

    def __init__(self, reader: Reader, folder: Path, which: Callable[[str], str | None]) -> None:
        self.reader = reader
        self.folder = folder
        self.which = which

    def read(self, table: dict[str, Any], at: At) -> StageTable | None:
        """None if there was a problem with this table."""
        where = label(table, at)
        known = len(self.reader.problems)
        door = self.door(table, at, where)
        options_type = BUILTIN_OPTIONS.get(table["use"]) if door == "builtin" else None
        self.keys(table, at, where, door)
        common = {key: value for key, value in table.items() if key in StageKeys.__struct_fields__}
        stage = self.reader.decode(common, StageKeys, at, where)
        stage = stage or StageKeys(**{"name": "unnamed", **valid_part(common, StageKeys)})
        options = self.options(table, options_type, at, where)
        stage = self.existing(stage, at, where)
        if len(self.reader.problems) != known:
            return None
        return StageTable(**msgspec.structs.asdict(stage), options=options)

    def door(self, table: dict[str, Any], at: At, where: str) -> str | None:
        """Which kind of stage this is, or None where the table does not say."""
        doors = [key for key in table if key in DOORS]
        if len(doors) > 1:
            self.reader.at_key((*at, doors[1]), f"{where} has both `{doors[0]}` and `{doors[1]}`; a stage is started in one way")
            return None
        if not doors:
            if not any(nearest(key, DOORS) for key in table):
                self.reader.at_key(at, f"{where} does not say what runs; give it one of `use`, `script`, `command`, `url`")
            return None
        return self.used(table["use"], at) if doors == ["use"] else doors[0]

    def used(self, use: Any, at: At) -> str | None:
        if use in BUILTIN_STAGES:
            return "builtin"
        if not isinstance(use, str):
            return None  # the wrong type is reported with the other types
        if _MODULE.fullmatch(use):
            return "use"
        if use in DERIVED_STAGES:
            sentence = f"`{use}` is not put into the chain: its workers follow from the models, and [egress.NAME] tunes them"
        else:
            hint = did_you_mean(use, BUILTIN_STAGES) or "; a module of your own is written with its package, `package.module`"
            sentence = f"there is no built-in stage `{use}`{hint}"
        self.reader.at_value((*at, "use"), sentence)
        return None

    def keys(self, table: dict[str, Any], at: At, where: str, door: str | None) -> None:
        options = BUILTIN_OPTIONS.get(table["use"], StageKeys) if door == "builtin" else None
        option_names = options.__struct_fields__ if options else ()
        if door is None:  # not known what may stand here, so only what can stand nowhere is reported
            option_names = tuple(name for each in BUILTIN_OPTIONS.values() for name in each.__struct_fields__)
        allowed = (*_KEYS[door], *option_names) if door else (*StageKeys.__struct_fields__, *option_names)
        misplaced = [key for key in table if key in StageKeys.__struct_fields__ and key not in allowed]
        self.reader.unknown_keys([key for key in table if key not in misplaced], allowed, at, where)
        kind = "a built-in stage" if door == "builtin" else f"a stage given by `{door}`"
        for key in misplaced:
            self.reader.at_key((*at, key), f"`{key}` in {where} has no meaning for {kind}")

    def options(self, table: dict[str, Any], options: type[msgspec.Struct] | None, at: At, where: str) -> msgspec.Struct | None:
        if not options:
            return None
        own = {key: value for key, value in table.items() if key in options.__struct_fields__}
        found = self.reader.decode(own, options, at, where)
        return policy_rules.settle(found, at, where, self.folder, self.reader) if isinstance(found, PolicyOptions) else found

    def existing(self, stage: StageKeys, at: At, where: str) -> StageKeys:
        """Checks what the values mean, and makes paths absolute."""
        if not _NAME.fullmatch(stage.name):
            self.reader.at_value((*at, "name"), f"`{stage.name}` cannot be a name; use lower-case letters, digits and `-`")
        elif stage.name in TAKEN_NAMES:
            self.reader.at_value((*at, "name"), f"`{stage.name}` is taken by the worker that serves {TAKEN_NAMES[stage.name]}")
        if stage.listen is not None:
            read_listen(stage.listen, (*at, "listen"), self.reader)
        self.environment(stage, at)
        return msgspec.structs.replace(
            stage,
            env=Sealed(stage.env),
            url=stage.url and read_url(stage.url, (*at, "url"), self.reader),
            script=stage.script and self.script(stage.script, (*at, "script"), where),
            command=stage.command if stage.command is None else self.command(stage.command, (*at, "command"), where),
            path=stage.path and self.module_folder(stage.path, (*at, "path")),
        )

    def environment(self, stage: StageKeys, at: At) -> None:
        for name in stage.env:
            if not _VARIABLE.fullmatch(name):
                self.reader.at_key((*at, "env", name), f"`{name}` cannot be the name of an environment variable")
            elif name.startswith("CODEX_SHIM_"):
                self.reader.at_key((*at, "env", name), f"`{name}` is not yours to set: the orchestrator tells stages with it")

    def absolute(self, written: str) -> Path:
        return self.folder / Path(written).expanduser()

    def script(self, written: str, at: At, where: str) -> str:
        path = self.absolute(written)
        if not path.is_file():
            self.reader.at_value(at, f"the script of {where} does not exist: {path}")
        return str(path)

    def module_folder(self, written: str, at: At) -> str:
        path = self.absolute(written)
        if not path.is_dir():
            self.reader.at_value(at, f"there is no folder {path}")
        return str(path)

    def command(self, written: list[str], at: At, where: str) -> list[str]:
        """A program with a slash is a path from the file's folder; one without is looked up as a shell would."""
        if not written or not written[0]:
            self.reader.at_value(at, f"`command` in {where} is empty; its first item is the program")
            return written
        program = written[0]
        is_path = "/" in program or "\\" in program
        found = self.which(str(self.absolute(program)) if is_path else program)
        if not found:
            place = f"cannot be executed: {self.absolute(program)}" if is_path else "is not on PATH"
            self.reader.at_value((*at, 0), f"the program `{program}` of {where} {place}")
        return [found or program, *written[1:]]


def label(table: dict[str, Any], at: At) -> str:
    """How a sentence calls this stage."""
    name = table.get("name")
    return f"stage `{name}`" if isinstance(name, str) and name else f"[[stage]] number {int(at[-1]) + 1}"
