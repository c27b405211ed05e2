"""A trace as a drawing: a few sentences, and a table with a bar per hop. Pure; colours are the command's."""

from __future__ import annotations

from collections.abc import Sequence

from .trace import Hop, Trace

WIDTH = 40
_WAITING, _STREAMING, _SILENT = "░", "█", "▒"
HEADINGS = ("HOP", "STATUS", "START", "BEFORE", "PER CHUNK", "AT END", "TOTAL", "")
LIST_HEADINGS = ("REQUEST", "ENDED", "MODEL", "UPSTREAM", "FIRST", "TOTAL", "IN", "CACHED", "OUT", "RETRIES", "ERROR")


def sentences(trace: Trace) -> list[str]:
    """What is above the table."""
    lines = [" · ".join(part for part in (trace.id, _way(trace), trace.ended or trace.verdict, _times(trace)) if part)]
    if trace.tokens is not None:
        lines.append(_tokens(trace))
    for stage, reasons in trace.retries.items():
        lines.append(f"{stage} asked again: " + ", ".join(f"{why} ({count}×)" for why, count in reasons.items()))
    if trace.error:
        lines.append(f"error: {trace.error}" + (f" (told by {trace.failed_at})" if trace.failed_at else ""))
    if any(hop.kind == "gap" for hop in trace.hops):
        lines.append("A hop in brackets logs nothing; its times are those of its neighbours.")
    return lines


def rows(trace: Trace, width: int = WIDTH) -> list[tuple[str, ...]]:
    """One for each hop; the columns are those of HEADINGS. Times are in milliseconds."""
    return [
        (
            _name(hop),
            str(hop.status or hop.outcome or "-"),
            number(hop.start_ms),
            number(hop.before_ms),
            number(hop.chunk_ms, 3),
            number(hop.after_ms),
            number(hop.ms),
            bar(hop, trace.ms, width),
        )
        for hop in trace.hops
    ]


def summary(trace: Trace) -> tuple[str, ...]:
    """The columns of LIST_HEADINGS."""
    tokens = trace.tokens
    return (
        trace.id,
        trace.verdict,
        trace.slug or "-",
        trace.upstream or "-",
        number(trace.first_ms),
        number(trace.ms),
        str(tokens.input) if tokens else "-",
        str(tokens.cached) if tokens else "-",
        str(tokens.output) if tokens else "-",
        str(sum(count for reasons in trace.retries.values() for count in reasons.values()) or "-"),
        _short(trace.error or "-"),
    )


def bar(hop: Hop, whole_ms: float, width: int) -> str:
    """Light until the first byte, dark from there to the end. Whatever took time at all is seen."""
    scale = width / whole_ms if whole_ms > 0 else 0.0
    start = min(int(hop.start_ms * scale), width - 1)
    end = max(min(round(hop.end_ms * scale), width), start + 1)
    if hop.kind == "gap":
        return " " * start + _SILENT * (end - start)
    first = end if hop.first_ms is None else max(min(round(hop.first_ms * scale), end), start)
    return " " * start + _WAITING * (first - start) + _STREAMING * (end - first)


def number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _name(hop: Hop) -> str:
    if hop.kind == "gap":
        return f"[{hop.stage}]"
    return f"→ {hop.stage}" if hop.kind == "upstream" else hop.stage


def _way(trace: Trace) -> str:
    via = f" via {trace.upstream}" if trace.upstream else ""
    details = [trace.upstream_model if trace.upstream_model != trace.slug else "", trace.dialect]
    said = ", ".join(filter(None, details))
    return (trace.slug or trace.path) + via + (f" ({said})" if said else "")


def _times(trace: Trace) -> str:
    first = f", first byte after {number(trace.first_ms)} ms" if trace.first_ms is not None else ""
    return f"{number(trace.ms)} ms{first}"


def _tokens(trace: Trace) -> str:
    assert trace.tokens is not None
    count = trace.tokens
    hit = f", {100 * count.cached / count.input:.0f} %" if count.input and count.cached else ""
    speed = f", {trace.tokens_per_second:,.0f} per second" if trace.tokens_per_second else ""
    thought = f" ({count.reasoning:,} for reasoning)" if count.reasoning else ""
    return f"tokens: {count.input:,} in ({count.cached:,} from the cache{hit}), {count.output:,} out{thought}{speed}"


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def room_for_bars(columns: int, cells: Sequence[Sequence[str]]) -> int:
    """How many columns of a terminal are left for them."""
    used = sum(max(len(row[place]) for row in cells) + 2 for place in range(len(HEADINGS) - 1))
    return max(columns - used - 1, 10)
