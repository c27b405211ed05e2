from __future__ import annotations

import pytest
from codex_shim.orchestrator.settings import base_url
from codex_shim.orchestrator.settings.base_url import BaseUrlError


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("https://api.example.com/v1/chat/completions/", "https://api.example.com/v1"),
        ("https://api.example.com/api/coding/paas/v4", "https://api.example.com/api/coding/paas/v4"),
        (" https://api.example.com ", "https://api.example.com/v1"),
        ("https://api.example.com/", "https://api.example.com/v1"),
        ("https://api.example.com/chat/completions", "https://api.example.com"),
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("HTTPS://api.example.com/v1", "https://api.example.com/v1"),
    ],
)
def test_is_forgiving(written: str, read: str) -> None:
    assert base_url.read(written) == read


@pytest.mark.parametrize(
    "written",
    [
        "",
        "api.example.com/v1",
        "ftp://api.example.com",
        "https:///v1",
        "http://10.0.0.5/v1",
        "http://127.0.0.1.example.com/v1",
        "https://user@api.example.com/v1",
        "https://api.example.com/v1?a=b",
        "https://api.example.com/v1#a",
        "https://a:b/v1",
        "https://[",
    ],
)
def test_refuses(written: str) -> None:
    with pytest.raises(BaseUrlError) as caught:
        base_url.read(written)
    assert "example.com" not in str(caught.value)
