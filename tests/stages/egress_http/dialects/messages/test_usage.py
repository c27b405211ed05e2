from __future__ import annotations

from typing import Any

import pytest
from codex_shim.stages.contract.events import Usage
from codex_shim.stages.egress_http.dialects.messages.usage import Counts


def counted(*usages: Any) -> Usage:
    counts = Counts()
    for usage in usages:
        counts.update(usage)
    return counts.usage()


def test_what_the_cache_gave_and_took_is_input():
    """D8: the API counts it apart, and a client would see a context that is hardly used."""
    usage = counted(
        {"input_tokens": 5, "cache_read_input_tokens": 90_000, "cache_creation_input_tokens": 1_000, "output_tokens": 30}
    )
    assert usage == Usage(input=91_005, output=30, cached=90_000, cache_write=1_000)
    assert usage.wire()["total_tokens"] == 91_035


def test_details_are_there_whatever_was_counted():
    """D7."""
    wire = counted({"cache_creation_input_tokens": 7}).wire()
    assert wire["input_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 7}
    assert wire["output_tokens_details"] == {"reasoning_tokens": 0}


def test_later_counts_replace_earlier_ones_but_null_says_nothing():
    usage = counted({"input_tokens": 5, "output_tokens": 1}, {"input_tokens": None, "output_tokens": 40}, None, "odd")
    assert (usage.input, usage.output) == (5, 40)


@pytest.mark.parametrize("odd", [None, "x", -3, float("inf"), [], {}])
def test_odd_counts_are_none(odd: Any):
    assert counted({"input_tokens": odd, "output_tokens": odd, "output_tokens_details": odd, "cache_creation": odd}) == Usage()


def test_thinking_is_part_of_the_output():
    usage = counted({"output_tokens": 50, "output_tokens_details": {"thinking_tokens": 20}})
    assert (usage.output, usage.reasoning) == (50, 20)
