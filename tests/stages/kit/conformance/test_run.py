"""Which checks apply to which subject."""

from __future__ import annotations

import msgspec
import pytest
from codex_shim.stages.kit.conformance.run import CHECKS, EXEMPT, why_not
from codex_shim.stages.kit.conformance.subject import Kind, Subject, started

STARTED = started("trim", ["./trim", "--port={port}", "{next}"], {"PATH": "/bin"}, "/c.json", "hop")


def skipped(subject: Subject) -> dict[str, str]:
    return {check.name: reason for check in CHECKS if (reason := why_not(check, subject))}


@pytest.mark.parametrize("kind", ["stage", "ingress", "router"])
def test_a_started_stage_with_our_next_hop_gets_every_check(kind: Kind) -> None:
    assert skipped(msgspec.structs.replace(STARTED, kind=kind)) == {}


def test_an_egress_gets_what_needs_no_next_hop() -> None:
    egress = msgspec.structs.replace(STARTED, kind="egress", next_port=None)
    assert {check.name for check in CHECKS} - set(skipped(egress)) == {"health", "models", "token", "lifeline"}
    assert "speaks to a provider" in skipped(egress)["streaming"]


def test_a_bare_url_is_told_how_to_get_more_checks() -> None:
    reasons = skipped(Subject(name="x", url="http://127.0.0.1:4000"))
    assert "--next-port" in reasons["streaming"]
    assert "--token" in reasons["token"]
    assert "not ours to stop" in reasons["lifeline"]
    assert {check.name for check in CHECKS} - set(reasons) == {"health", "models"}


def test_a_url_with_its_next_port_is_only_not_stopped() -> None:
    subject = Subject(name="x", url="http://127.0.0.1:4000", next_port=4001, token="t", hop_token="t")
    assert set(skipped(subject)) == {"drain", "lifeline"}


def test_a_stage_that_is_ready_by_its_port_need_not_know_health() -> None:
    assert set(skipped(msgspec.structs.replace(STARTED, ready="tcp"))) == {"health"}


def test_exemptions_name_checks_that_exist() -> None:
    names = {check.name for check in CHECKS} | {"*next"}
    assert {name for exempt in EXEMPT.values() for name in exempt} <= names
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_a_started_stage_is_told_everything_by_its_environment() -> None:
    assert STARTED.env["CODEX_SHIM_NEXT"] == f"http://127.0.0.1:{STARTED.next_port}"
    assert STARTED.env["CODEX_SHIM_LISTEN"] == STARTED.url.removeprefix("http://")
    assert STARTED.env["CODEX_SHIM_CONFIG"] == "/c.json"
    assert STARTED.argv == ["./trim", f"--port={STARTED.url.rpartition(':')[2]}", f"http://127.0.0.1:{STARTED.next_port}"]
    assert "hop" not in repr(STARTED)
