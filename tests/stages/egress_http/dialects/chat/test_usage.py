from typing import Any

import pytest
from codex_shim.stages.contract.events import Usage
from codex_shim.stages.egress_http.dialects.chat.usage import read_usage


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        (None, Usage()),
        ([], Usage()),
        ({"prompt_tokens": None, "completion_tokens": "x", "prompt_tokens_details": None}, Usage()),
        ({"prompt_tokens": "12", "completion_tokens": 3.0}, Usage(input=12, output=3)),
        ({"prompt_tokens": -5, "completion_tokens": float("inf")}, Usage()),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"audio_tokens": 0}}, Usage(input=10)),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}}, Usage(input=10, cached=4)),
        ({"prompt_tokens": 10, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 6}, Usage(input=10, cached=4)),
        ({"prompt_tokens": 10, "cached_tokens": 4}, Usage(input=10, cached=4)),
        ({"prompt_tokens": 10, "num_cached_tokens": 4}, Usage(input=10, cached=4)),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"cache_creation_input_tokens": 4}}, Usage(input=10, cache_write=4)),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 90}}, Usage(input=100, cached=90)),
        ({"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 4}}, Usage(output=9, reasoning=4)),
        (
            {"prompt_tokens": 10, "completion_tokens": 9, "total_tokens": 23, "completion_tokens_details": {"reasoning_tokens": 4}},
            Usage(input=10, output=13, reasoning=4),
        ),
    ],
)
def test_the_ways_providers_count(raw: Any, usage: Usage):
    assert read_usage(raw) == usage
