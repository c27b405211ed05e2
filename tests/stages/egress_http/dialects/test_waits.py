"""D30: a client that knows how long to wait neither gives up nor asks in vain."""

from __future__ import annotations

import pytest
from codex_shim.stages.egress_http.dialects.waits import retry_after

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, "7"),
        ({"retry-after": "1.5"}, "1.5"),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}, "60"),
        ({"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, "0"),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after-ms": "250"}, "0.25"),
        ({"retry-after": "3", "retry-after-ms": "250"}, "3"),
        (
            {
                "anthropic-ratelimit-requests-remaining": "12",
                "anthropic-ratelimit-requests-reset": "2023-11-14T23:00:00Z",
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": "2023-11-14T22:13:50Z",
                "anthropic-ratelimit-output-tokens-remaining": "0",
                "anthropic-ratelimit-output-tokens-reset": "2023-11-14T22:13:30Z",
            },
            "30",
        ),
        ({"anthropic-ratelimit-tokens-remaining": "0"}, None),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "later"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m6s"}, "66"),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, "0.12"),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "6m0s"}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "x"}, None),
    ],
)
def test_the_wait_in_all_its_forms(headers: dict[str, str], seconds: str | None):
    assert retry_after(headers, NOW) == seconds
