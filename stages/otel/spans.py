"""One trace of the chain → spans with OpenTelemetry's names, as plain values. Pure.

Each hop is a span below the one that has asked it, by the ids that the hops themselves have sent on in `traceparent`. What has
none, a stage that logs nothing and the upstream, gets an id made from its place: the same trace always gives the same spans.
The model's part is one span with the names of the GenAI conventions; nothing of a request's content is known here.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

Value = str | int | float

# Names that the conventions know; any other provider goes by its host.
_PROVIDERS = {
    "api.openai.com": "openai",
    "chatgpt.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.x.ai": "x_ai",
    "api.perplexity.ai": "perplexity",
}
_AZURE = ".openai.azure.com"


class Hop(msgspec.Struct, kw_only=True):
    """As the orchestrator tells of it; milliseconds from the beginning of the request."""

    stage: str
    kind: str
    start_ms: float
    ms: float
    first_ms: float | None = None
    before_ms: float | None = None
    chunk_ms: float | None = None
    after_ms: float | None = None
    chunks: int = 0
    status: int | None = None
    outcome: str = ""
    error: str | None = None
    span: str | None = None
    parent: str | None = None


class Tokens(msgspec.Struct):
    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0


class Trace(msgspec.Struct, kw_only=True):
    """As the orchestrator tells of it."""

    id: str
    began: float
    ms: float
    verdict: str
    path: str = ""
    trace: str | None = None
    slug: str = ""
    upstream: str = ""
    upstream_model: str = ""
    first_token_ms: float | None = None
    tokens: Tokens | None = None
    retries: dict[str, dict[str, int]] = {}
    error: str | None = None
    hops: list[Hop] = []


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Ids in hexadecimal digits, times in nanoseconds since the epoch. `parent` is None at the beginning of a trace. `failure` is
    the sentence of what failed."""

    name: str
    kind: Literal["server", "internal", "client"]
    trace: str
    id: str
    parent: str | None
    start: int
    end: int
    attributes: dict[str, Value]
    failure: str | None = None


def of_trace(told: Trace) -> list[Span]:
    """The door's span comes first."""
    trace = told.trace or _made(32, told.id)
    ids = [hop.span or _made(16, trace, told.id, str(place)) for place, hop in enumerate(told.hops)]
    spans = []
    for place, hop in enumerate(told.hops):
        start = round(told.began * 1e6) * 1000 + round(hop.start_ms * 1e6)
        model = place == len(told.hops) - 1 and bool(told.upstream)
        spans.append(
            Span(
                name=_name(told, hop, place, model=model),
                kind="server" if place == 0 else "client" if model else "internal",
                trace=trace,
                id=ids[place],
                parent=_parent(told.hops, ids, place),
                start=start,
                end=start + round(hop.ms * 1e6),
                attributes=_attributes(told, hop, place, model=model),
                failure=hop.error or ("failed" if hop.outcome == "failed" else None),
            )
        )
    return spans


def _parent(hops: list[Hop], ids: list[str], place: int) -> str | None:
    """Who has asked. A hop behind one that logs nothing was asked by that, whose span nobody has heard of."""
    if place == 0:
        return hops[0].parent
    if hops[place].span is None or hops[place - 1].kind == "gap":
        return ids[place - 1]
    return hops[place].parent if hops[place].parent in ids else ids[place - 1]


def _name(told: Trace, hop: Hop, place: int, *, model: bool) -> str:
    if model:
        return f"chat {_model(told)}".strip()
    return f"POST {told.path}" if place == 0 else hop.stage


def _model(told: Trace) -> str:
    return told.upstream_model or told.slug


def _attributes(told: Trace, hop: Hop, place: int, *, model: bool) -> dict[str, Value]:
    given: dict[str, Value | None] = {
        "codex_shim.hop": hop.stage,
        "codex_shim.request_id": told.id,
        "codex_shim.added.before_ms": hop.before_ms,
        "codex_shim.added.per_chunk_ms": hop.chunk_ms,
        "codex_shim.added.after_ms": hop.after_ms,
        "codex_shim.chunks": hop.chunks or None,
        "codex_shim.retries": sum(told.retries.get(hop.stage, {}).values()) or None,
        "http.response.status_code": hop.status,
        "error.type": _error_type(hop),
    }
    if place == 0:
        given |= {"http.request.method": "POST", "url.path": told.path, "codex_shim.slug": told.slug or None}
    if model:
        given |= _of_the_model(told, hop)
    return {name: value for name, value in given.items() if value is not None}


def _of_the_model(told: Trace, hop: Hop) -> dict[str, Value | None]:
    waited = None if told.first_token_ms is None else round(max(told.first_token_ms - hop.start_ms, 0.0) / 1000, 6)
    given: dict[str, Value | None] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _provider(told.upstream),
        "gen_ai.request.model": _model(told) or None,
        "gen_ai.response.time_to_first_chunk": waited,
        "server.address": told.upstream if "." in told.upstream or told.upstream == "localhost" else None,
    }
    if told.tokens is not None:
        given |= {
            "gen_ai.usage.input_tokens": told.tokens.input,
            "gen_ai.usage.output_tokens": told.tokens.output,
            "gen_ai.usage.cache_read.input_tokens": told.tokens.cached,
            "gen_ai.usage.reasoning.output_tokens": told.tokens.reasoning,
        }
    return given


def _error_type(hop: Hop) -> str | None:
    if hop.outcome != "failed":
        return None
    return str(hop.status) if hop.status and hop.status >= 400 else "_OTHER"


def _provider(host: str) -> str:
    return "azure.ai.openai" if host.endswith(_AZURE) else _PROVIDERS.get(host, host)


def _made(digits: int, *parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:digits]
