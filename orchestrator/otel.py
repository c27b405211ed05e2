"""Whether the chain's traces go to an OpenTelemetry collector, and to which: `otel` of [pipeline]."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from urllib.parse import urlsplit

from codex_shim.stages.contract.handshake import is_loopback

from .settings.pipeline import FROM_ENVIRONMENT, Pipeline
from .settings.problems import ConfigError

_PACKAGE = "opentelemetry.exporter.otlp.proto.http"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def check(pipeline: Pipeline) -> None:
    """Raises `ConfigError` where it is wanted and cannot be had."""
    if pipeline.settings.otel and not _is_installed():
        sentence = "`otel` needs packages that are not installed; run `pip install 'codex-shim[otel]'`, or take the line out"
        raise ConfigError([pipeline.problem(("pipeline", "otel"), sentence)])


def endpoint(wanted: str) -> str:
    """The base URL of the collector; empty where the environment says it."""
    return "" if wanted == FROM_ENVIRONMENT else wanted


def environment(wanted: str, full: Mapping[str, str], proxies: Mapping[str, str]) -> dict[str, str]:
    """What the exporter may know beside what every child gets: its own settings, and how to leave this machine if it has to."""
    own = {name: value for name, value in full.items() if name.startswith("OTEL_")}
    url = endpoint(wanted) or next((full[name] for name in _ENDPOINTS if full.get(name)), "http://localhost:4318")
    return own if is_loopback(urlsplit(url).hostname or "") else {**own, **proxies}


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec(_PACKAGE) is not None
    except ModuleNotFoundError:
        return False
