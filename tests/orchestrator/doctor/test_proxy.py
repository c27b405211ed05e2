"""Whether a proxy would get between Codex and the chain."""

from __future__ import annotations

import subprocess

import pytest
from codex_shim.orchestrator.doctor.proxy import covers, judge
from systems import needs_posix

PROXY = "http://jane:marked-password@proxy.example.com:3128"


def test_no_proxy_is_fine() -> None:
    assert judge({"NO_PROXY": "x", "HTTP_PROXY": ""}).status == "OK"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "all_proxy"])
@pytest.mark.parametrize("no_proxy", [{}, {"NO_PROXY": "example.com"}, {"no_proxy": "127.0.0.1"}, {"NO_PROXY": "10.0.0.0/8"}])
def test_a_proxy_that_is_used_for_this_machine_too_is_a_warning(name: str, no_proxy: dict[str, str]) -> None:
    check = judge({name: PROXY, **no_proxy})
    assert (check.status, name in check.message) == ("WARN", True)
    assert "marked-password" not in repr(check)


@pytest.mark.parametrize("no_proxy", ["localhost,127.0.0.1", "*", " 127.0.0.0/8 , LOCALHOST ", "a.b,.localhost,127.0.0.1"])
def test_one_that_leaves_this_machine_out_is_fine(no_proxy: str) -> None:
    assert judge({"HTTP_PROXY": PROXY, "NO_PROXY": no_proxy}).status == "OK"


def test_both_spellings_count_because_programs_read_either() -> None:
    check = judge({"http_proxy": PROXY, "NO_PROXY": "*", "no_proxy": "localhost"})
    assert check.status == "WARN"
    assert "no_proxy lacks 127.0.0.1" in check.message


@needs_posix
@pytest.mark.parametrize("before", [None, "example.com"])
def test_the_line_to_copy_does_what_it_says(before: str | None) -> None:
    environ = {"HTTP_PROXY": PROXY, **({"NO_PROXY": before} if before else {})}
    remedy = judge(environ).remedy or ""
    line = remedy.split("`")[1]
    after = subprocess.run(["sh", "-c", f'{line}; printf %s "$NO_PROXY"'], env=environ, capture_output=True, text=True).stdout
    assert judge({"HTTP_PROXY": PROXY, "NO_PROXY": after}).status == "OK"
    assert before is None or covers(after, before)
