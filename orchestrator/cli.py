"""`codex-shim`: the root command, its global options and its groups."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .commands import (
    bench,
    codex,
    common,
    connect,
    daily,
    desktop,
    doctor,
    model,
    model_rows,
    model_test,
    picker,
    pipeline,
    record,
    reload,
    replay,
    route,
    service,
    stage,
    tap,
    trace,
    usage,
)
from .system import speak_utf8

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Keep Codex, choose the model: a chain of small local processes between Codex and any provider.",
    epilog="Exit codes: 0 done, 1 it failed or is not so, 2 wrong usage, 78 a file of yours has a problem.",
)
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(stage.app, name="stage")
app.add_typer(model.app, name="model")
app.add_typer(route.app, name="route")
app.add_typer(service.app, name="service")
for name, command in (("add", model_rows.add), ("remove", model_rows.remove), ("test", model_test.test)):
    model.app.command(name)(command)
pipeline.app.command("tap")(tap.tap)
pipeline.app.command("reload")(reload.reload)
for name, command in (("trace", trace.trace), ("top", trace.top)):
    pipeline.app.command(name)(command)
for name, command in (
    ("start", daily.start),
    ("stop", daily.stop),
    ("restart", daily.restart),
    ("status", daily.status),
    ("list", daily.list_models),
    ("generate", daily.generate),
    ("enable", connect.enable),
    ("disable", connect.disable),
    ("app", codex.desktop),
    ("doctor", doctor.doctor),
    ("patch-app", desktop.patch_app),
    ("restore-app", desktop.restore_app),
    ("record", record.record),
    ("replay", replay.replay),
    ("picker", picker.picker),
    ("usage", usage.usage),
    ("bench", bench.bench),
):
    app.command(name)(command)
app.command("codex", context_settings=codex.PASSING_ON)(codex.codex)


@app.callback()
def root(
    home: Annotated[Path | None, typer.Option(help="Where codex-shim keeps its files.", envvar="CODEX_SHIM_HOME")] = None,
    settings: Annotated[Path | None, typer.Option(help="The models.json to use.")] = None,
    pipeline: Annotated[Path | None, typer.Option(help="The pipeline.toml to use.")] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", is_eager=True, callback=lambda show: daily.version(show))
    ] = False,
) -> None:
    common.set_globals(home, settings, pipeline)


def main() -> None:
    speak_utf8()
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has what it wanted
    except OSError as error:
        if error.filename is None:
            raise  # a fault of ours
        common.say_error(f"{error.filename}: {(error.strerror or str(error)).lower()}")
        sys.exit(common.FAILED)


if __name__ == "__main__":
    main()
