"""Section Codex Desktop: whether its picker can show our models, and whether what patch-app made of it still is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..app import bundle
from ..app.backups import Backups, Kept
from ..app.bundle import App, AppError
from ..app.recovery import unfinished
from ..app.survey import Survey, survey
from ..codex import user_home
from ..system import has_app_bundles, has_store_apps
from .check import Check, Section
from .subject import Subject

_DESKTOP = Section("Codex Desktop")
# How the Store names the folder that an installed app has in each user's profile.
_STORE_FOLDERS = "OpenAI.Codex_*"
_LIMIT = "its picker hides what is not on a list that OpenAI sends it; `codex-shim list` and the catalog are right"
_WITHOUT_PICKER = "`codex-shim model use NAME` chooses the model without the picker, which then shows it as Custom"


def check(subject: Subject) -> list[Check]:
    if has_store_apps():
        return judge_windows(store_app(subject.environ))
    if not has_app_bundles():
        return [_DESKTOP.info("there is no Codex Desktop for this system; the Codex CLI shows every model")]
    try:
        apps = bundle.installed(bundle.folders(user_home.user_folder(subject.environ)))
    except AppError as error:
        return [_DESKTOP.warn(str(error), "install the app anew")]
    return check_macos(apps, Backups(subject.home))


def store_app(environ: Mapping[str, str]) -> bool:
    """Whether the Store's package of Codex is installed for this user. Where it is itself, nobody may look."""
    local = environ.get("LOCALAPPDATA")
    return bool(local) and any((Path(local) / "Packages").glob(_STORE_FOLDERS))


def judge_windows(installed: bool) -> list[Check]:
    if not installed:
        return [_DESKTOP.info("Codex Desktop is not installed from the Store; the Codex CLI shows every model")]
    details = [
        _LIMIT,
        "the package is signed as a whole and Windows guards its files, so there is no patch-app here",
        "a model with the slug of one of OpenAI's passes the list: `slug` in models.json",
    ]
    return [_DESKTOP.info("Codex Desktop (a Store app) may not show every model", _WITHOUT_PICKER, details)]


def check_macos(apps: Sequence[App], backups: Backups) -> list[Check]:
    """One for each app that is there, and one for each patch that was not finished or whose app is gone."""
    checks = [judge_unfinished(kept) for kept in unfinished(backups)]
    if not apps:
        checks.append(_DESKTOP.info("Codex Desktop is not installed; the Codex CLI shows every model"))
    return [*checks, *(_app(app, backups) for app in apps)]


def judge_unfinished(kept: Kept) -> Check:
    there = "the app is not in its place" if not kept.app.exists() else "the app itself is whole"
    return _DESKTOP.warn(f"a command that changed {kept.app} was ended in the middle; {there}", "`codex-shim restore-app`")


def _app(app: App, backups: Backups) -> Check:
    try:
        return judge_app(app, survey(app), app.fits(), backups.of(app.path))
    except AppError as error:
        return _DESKTOP.warn(str(error), _WITHOUT_PICKER)


def judge_app(app: App, found: Survey, fits: bool, kept: Sequence[Kept]) -> Check:
    """`fits`: whether the app takes its archive at its start. `kept`: what is recorded of patches of this path."""
    named = f"{app.path} (version {found.info.version})"
    if not fits:
        return _DESKTOP.fail(f"{named} does not start: its archive is not the one it expects", "install the app anew")
    ours = any(each.record.header == found.header_hash for each in kept)
    if found.plan.done:
        return _DESKTOP.ok(f"{named} is patched{'' if ours else ', not by codex-shim with this home'}, and fits")
    if kept and not ours:
        message = f"{named} was updated since it was patched (version {kept[-1].record.version}), which took the patch away"
        return _DESKTOP.warn(message, "`codex-shim patch-app`")
    if found.plan.shows_catalog:
        return _DESKTOP.info(f"{named} is not patched; it seems to show the models of a configured catalog by itself")
    remedy = "`codex-shim patch-app`, or `codex-shim model use NAME`, which chooses the model without the picker"
    return _DESKTOP.info(f"{named} is not patched", remedy, [_LIMIT])
