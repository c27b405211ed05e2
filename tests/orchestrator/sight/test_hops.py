"""Which hops are meant by what somebody writes."""

from __future__ import annotations

import pytest
from codex_shim.orchestrator.sight.hops import HopError, ProbeWish, hops, matching, wishes
from codex_shim.stages.contract.secret import Secret

KNOWN = hops([("ingress", False), ("policy", False), ("router", False)], ["kimi", "deepseek"])
OUTSIDE = hops([("ingress", False), ("nginx", True), ("router", False)], [])


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("ingress>policy", ["ingress>policy"]),
        ("ingress > policy", ["ingress>policy"]),
        ("policy->router", ["policy>router"]),
        ("ingress → policy", ["ingress>policy"]),
        ("router>*", ["router>kimi", "router>deepseek"]),
        ("*>policy", ["ingress>policy"]),
        ("*", ["ingress>policy", "policy>router", "router>kimi", "router>deepseek"]),
    ],
)
def test_hops_are_named_by_both_their_stages_and_by_stars(pattern: str, meant: list[str]) -> None:
    assert [hop.name for hop in matching(pattern, KNOWN)] == meant


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("ingres>policy", "there is no hop `ingres>policy`; did you mean `ingress>policy`?"),
        ("policy", "there is no hop `policy`; a hop is written with both its stages, like `ingress>policy`"),
        ("nobody", "there is no hop `nobody`; a hop is written with both its stages, like `ingress>policy`"),
        ("x>y", "there is no hop `x>y`; there are ingress>policy, policy>router, router>kimi, router>deepseek"),
    ],
)
def test_what_names_no_hop_is_answered_with_one(pattern: str, sentence: str) -> None:
    with pytest.raises(HopError) as caught:
        matching(pattern, KNOWN)
    assert str(caught.value) == sentence


def test_a_chain_of_one_stage_has_no_hop() -> None:
    with pytest.raises(HopError, match="one stage and no hop"):
        matching("*", hops([("ingress", False)], []))


def test_no_probe_stands_behind_an_outside_proxy() -> None:
    assert [hop.name for hop in matching("*", OUTSIDE)] == ["ingress>nginx"]
    with pytest.raises(HopError, match="the outside proxy `nginx` is told by its owner where to send"):
        matching("nginx>router", OUTSIDE)


def test_probes_have_names_of_their_own() -> None:
    probes = [hop.probe for hop in hops([("probe-a-b", False), ("a", False), ("b", False)], [])]
    assert probes == ["probe-probe-a-b-a", "probe-a-b-2"]


def test_checks_of_the_file_and_wishes_of_the_moment_are_one_probe() -> None:
    token = Secret("t")
    watched = {"ingress>policy": ProbeWish(watch_token=token), "router>kimi": ProbeWish(check="enforce")}
    assert wishes("off", watched, KNOWN) == watched
    found = wishes("log", watched, KNOWN)
    assert found["ingress>policy"] == ProbeWish(check="log", watch_token=token)
    assert found["policy>router"] == ProbeWish(check="log")
    assert found["router>kimi"] == ProbeWish(check="enforce")
    assert list(wishes("log", {}, OUTSIDE)) == ["ingress>nginx"]
    assert wishes("off", {}, KNOWN) == {}
