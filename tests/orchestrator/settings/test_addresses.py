from __future__ import annotations

import pytest
from codex_shim.orchestrator.settings.addresses import comparable, read_listen, read_url
from codex_shim.orchestrator.settings.positions import Positions
from codex_shim.orchestrator.settings.strict import Reader


def reader() -> Reader:
    return Reader("file", Positions(""))


@pytest.mark.parametrize("value", ["127.0.0.1:1", "localhost:65535", "[::1]:8765", "127.0.0.1:0"])
def test_loopback_addresses_may_be_listened_on(value: str) -> None:
    reading = reader()
    read_listen(value, (), reading)
    assert reading.problems == []


@pytest.mark.parametrize(
    "value", ["", "8765", ":8765", "0.0.0.0:1", "10.0.0.1:1", "example.com:1", "127.0.0.1:65536", "127.0.0.1:²"]
)
def test_others_may_not(value: str) -> None:
    reading = reader()
    read_listen(value, (), reading)
    assert len(reading.problems) == 1


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("http://localhost:4000/", "http://localhost:4000"),
        ("http://127.0.0.1:4000/v1/", "http://127.0.0.1:4000"),
        ("http://[::1]:4000/v1", "http://[::1]:4000"),
        ("http://127.0.0.1", "http://127.0.0.1:80"),
    ],
)
def test_the_url_of_an_outside_proxy(written: str, read: str) -> None:
    reading = reader()
    assert read_url(written, (), reading) == read
    assert reading.problems == []


@pytest.mark.parametrize(
    "value", ["127.0.0.1:4000", "https://127.0.0.1:1", "http://127.0.0.1:x", "http://127.0.0.1:1/a", "http://127.0.0.1:1?k=SECRET"]
)
def test_what_is_no_such_url(value: str) -> None:
    reading = reader()
    read_url(value, (), reading)
    assert len(reading.problems) == 1
    assert "SECRET" not in str(reading.problems[0])


def test_one_place_written_in_several_ways() -> None:
    assert comparable("localhost:4000") == comparable("127.0.0.1:4000") == comparable("http://localhost:4000/v1")
    assert comparable("127.0.0.1:0") is comparable("nonsense") is comparable("http://example.com") is None
