"""What a chain is made from: the command line's options and the user's files, read once and whole before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from codex_shim.stages.contract.price import Price
from codex_shim.stages.egress_cursor.config import Options as CursorOptions

from . import contents, egress, limits, otel, plan
from .home import Home
from .logins import chatgpt, cursor
from .settings import models, pipeline, prices, provider_file
from .settings.model_key import RunCommand, run_command
from .settings.pipeline import ChatGptOptions, Pipeline
from .sight.hops import Check
from .subscriptions import CHATGPT_URL, NONE, ChatGpt, Cursor, Subscriptions

WORKSPACE = "CODEX_SHIM_CURSOR_WORKSPACE"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line said. Paths are absolute. `watch` asks for a reload whenever one of the files changes, `check`
    stands for the one of pipeline.toml."""

    home: Path
    settings: Path
    pipeline: Path | None = None
    port: int | None = None
    watch: bool = False
    check: Check | None = None


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The chain as the files describe it. `row_problems` say which models are left out, and why; `contents` are digests of the
    files that the user's own stages run, by the name of the stage; `check` is whether hops are held against the contract. `prices`
    are those that are known, by slug."""

    pipeline: Pipeline
    workers: list[egress.Worker]
    rows: list[models.ModelRow]
    row_problems: list[str]
    subscriptions: Subscriptions = NONE
    contents: dict[str, str] = {}
    check: Check = "off"
    prices: dict[str, Price] = {}

    @property
    def slugs(self) -> list[str]:
        """Those of models.json."""
        return [row.slug for row in self.rows]


def read_files(
    options: Options, environ: Mapping[str, str], run: RunCommand = run_command, keys: Mapping[str, str] | None = None
) -> Sources:
    """Raises `ConfigError` with every problem that makes starting pointless. `run` gets each `api_key_command`; `keys` is where the
    variables of models.json are looked up, if not in `environ`."""
    chain_file = pipeline.load(pipeline.find(options.pipeline, environ, options.home))
    found = models.load(
        options.settings, environ if keys is None else keys, provider_file.load(options.home / "providers.toml"), run
    )
    workers = egress.derive(found.rows, [stage.name for stage in chain_file.stages])
    subscriptions = _subscriptions(Home(options.home), chain_file, environ)
    plan.check(chain_file, workers, environ, subscriptions)
    otel.check(chain_file)
    known = prices.of_rows(found.rows, Home(options.home).prices)
    limits.check(chain_file, [row.slug for row in found.rows], known, subscriptions)
    return Sources(
        pipeline=chain_file,
        workers=workers,
        rows=found.rows,
        row_problems=[str(each) for each in found.problems],
        subscriptions=subscriptions,
        contents={stage.name: contents.digest(stage) for stage in chain_file.stages},
        check=options.check or chain_file.settings.check,
        prices=known,
    )


def _subscriptions(home: Home, chain_file: Pipeline, environ: Mapping[str, str]) -> Subscriptions:
    """Those that are not switched off. Whether their login is usable does not count: that comes and goes while a chain runs."""
    if not plan.has_router(chain_file):
        return NONE
    return Subscriptions(
        chatgpt=None if chatgpt.disabled(environ) else _chatgpt(chain_file, environ),
        cursor=None if cursor.disabled(environ) else _cursor(home, chain_file, environ),
    )


def _chatgpt(chain_file: Pipeline, environ: Mapping[str, str]) -> ChatGpt:
    options = chain_file.egress.get("chatgpt")
    url = options.base_url if isinstance(options, ChatGptOptions) else ""
    return ChatGpt(auth_file=str(chatgpt.auth_file(environ)), base_url=url or CHATGPT_URL)


def _cursor(home: Home, chain_file: Pipeline, environ: Mapping[str, str]) -> Cursor | None:
    binary = cursor.find_binary(environ)
    if binary is None:
        return None
    options = chain_file.egress.get("cursor")
    chosen = options.workspace if isinstance(options, CursorOptions) else ""
    workspace = chosen or environ.get(WORKSPACE, "").strip()
    cut_off = any(home.cursor_slots.glob("*/run.json"))
    return Cursor(binary=str(binary), folder=str(home.cursor_slots), workspace=workspace, cut_off=cut_off)
