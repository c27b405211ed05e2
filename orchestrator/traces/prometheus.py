"""The counters in Prometheus' text format, version 0.0.4. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .meter import Counters, Histograms, Meter

_PREFIX = "codex_shim_"


def render(meter: Meter, up: Mapping[str, bool], restarts: Mapping[str, int]) -> str:
    """`up` says of each stage whether it serves, `restarts` how often it was started again."""
    lines = [
        *_gauge("stage_up", "Whether the stage serves: 1, or 0.", up),
        *_plain("stage_restarts_total", "counter", "How often the stage was started again.", ("stage",), _by_stage(restarts)),
        *_counters("requests_total", "Requests at each hop, by how they ended.", ("stage", "outcome"), meter.requests),
        *_histograms("hop_own_seconds", "What a hop took for itself before its first byte was out.", ("stage",), meter.own_seconds),
        *_counters("retries_total", "How often a hop has asked the next one again.", ("stage",), meter.retries),
        *_histograms("request_seconds", "Whole requests, as the client sees them.", ("outcome",), meter.request_seconds),
        *_counters("model_requests_total", "Requests to a model.", ("slug", "upstream", "outcome"), meter.model_requests),
        *_histograms(
            "first_token_seconds", "Until the first piece of a model's answer.", ("slug", "upstream"), meter.first_token_seconds
        ),
        *_counters(
            "tokens_total",
            "Tokens; cached ones are a part of input, reasoning of output.",
            ("slug", "upstream", "kind"),
            meter.tokens,
        ),
    ]
    return "\n".join(lines) + "\n"


def _gauge(name: str, meaning: str, values: Mapping[str, bool]) -> Iterator[str]:
    return _plain(name, "gauge", meaning, ("stage",), (((stage,), float(value)) for stage, value in values.items()))


def _by_stage(values: Mapping[str, int]) -> Iterator[tuple[tuple[str, ...], float]]:
    return (((stage,), value) for stage, value in values.items())


def _counters(name: str, meaning: str, labels: Sequence[str], counters: Counters) -> Iterator[str]:
    return _plain(name, "counter", meaning, labels, counters)


def _plain(
    name: str, kind: str, meaning: str, labels: Sequence[str], samples: Iterable[tuple[tuple[str, ...], float]]
) -> Iterator[str]:
    yield from _head(name, kind, meaning)
    for values, number in samples:
        yield f"{_PREFIX}{name}{_labels(labels, values)} {_number(number)}"


def _histograms(name: str, meaning: str, labels: Sequence[str], histograms: Histograms) -> Iterator[str]:
    yield from _head(name, "histogram", meaning)
    for values, counts, total in histograms:
        so_far = 0
        for bound, count in zip((*histograms.bounds, None), counts, strict=True):
            so_far += count
            edge = "+Inf" if bound is None else _number(bound)
            yield f"{_PREFIX}{name}_bucket{_labels((*labels, 'le'), (*values, edge))} {so_far}"
        yield f"{_PREFIX}{name}_sum{_labels(labels, values)} {_number(total)}"
        yield f"{_PREFIX}{name}_count{_labels(labels, values)} {so_far}"


def _head(name: str, kind: str, meaning: str) -> Iterator[str]:
    yield f"# HELP {_PREFIX}{name} {meaning}"
    yield f"# TYPE {_PREFIX}{name} {kind}"


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True)) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 9))
