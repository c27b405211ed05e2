from typing import Any

import pytest
from codex_shim.stages.egress_http.dialects.responses.usage import is_whole, mended

WHOLE = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 5,
}


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        {},
        {**WHOLE, "total_tokens": 5.0},
        {**WHOLE, "input_tokens_details": {"audio_tokens": 0}},
        {**WHOLE, "output_tokens_details": None},
        {**WHOLE, "input_tokens": True},
    ],
)
def test_what_codex_would_trip_over_is_mended(usage: Any) -> None:
    """D7."""
    assert not is_whole(usage)
    assert is_whole(mended(usage))


def test_what_is_there_is_kept() -> None:
    assert is_whole(WHOLE)
    assert mended({**WHOLE, "cost": 0.1}) == {**WHOLE, "cost": 0.1}
    half = mended({"input_tokens": 3.0, "output_tokens": "2", "input_tokens_details": {"audio_tokens": 1}})
    assert (half["input_tokens"], half["output_tokens"], half["total_tokens"]) == (3, 2, 5)
    assert half["input_tokens_details"] == {"audio_tokens": 1, "cached_tokens": 0, "cache_write_tokens": 0}
