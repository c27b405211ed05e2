from __future__ import annotations

import pytest
from codex_shim.orchestrator.settings import extra_headers


@pytest.mark.parametrize("name", ["X-Team", "authorization", "HTTP-Referer", "x_y"])
def test_can_be_sent(name: str) -> None:
    assert list(extra_headers.problems({name: "any value, ünd more"})) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("", "a"), ("X Y", "a"), ("X:", "a"), ("Host", "a"), ("content-length", "1"), ("X", "SECRET\r\nY: 1"), ("X", "SECRET€")],
)
def test_cannot_be_sent(name: str, value: str) -> None:
    ((found, sentence),) = extra_headers.problems({name: value})
    assert found == name
    assert "SECRET" not in sentence


def test_headers_that_are_a_credential() -> None:
    assert extra_headers.carry_credential({"X-API-Key": ""})
    assert not extra_headers.carry_credential({"X-Team": ""})
