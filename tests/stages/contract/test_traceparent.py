"""The header that says which trace a request belongs to."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract import traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize("header", [f"00-{TRACE}-{SPAN}-00", f"01-{TRACE}-{SPAN}-01", f"01-{TRACE}-{SPAN}-01-of-next-year"])
def test_it_is_read_also_in_a_later_version(header: str) -> None:
    told = traceparent.read(header)
    assert told is not None
    assert (told.trace, told.span, told.flags) == (TRACE, SPAN, header[53:55])
    assert told.header() == f"00-{TRACE}-{SPAN}-{told.flags}"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "hello",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_what_is_not_well_formed_begins_a_trace_anew(header: str | None) -> None:
    assert traceparent.read(header) is None
