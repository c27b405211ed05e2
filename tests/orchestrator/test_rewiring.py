"""What leads from one plan to the next, and which stage must not stay where it is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from codex_shim.orchestrator import rewiring
from codex_shim.orchestrator.spec import ChainPlan, StageSpec
from codex_shim.stages.contract.handshake import NEXT

PORTS = {name: 4000 + place for place, name in enumerate("idabcxr")}


def spec(name: str, next: str | None = None, **more: object) -> StageSpec:
    port = PORTS.get(name, 5000)
    known = {"kind": "module", "host": "127.0.0.1", "port": port, "argv": ("m",), "env": {NEXT: next} if next else {}}
    return StageSpec(**{"name": name, **known, **more})  # pyright: ignore[reportArgumentType]


def chain(names: str, **more: StageSpec) -> ChainPlan:
    """One letter for each stage; `more` stands in for some of them."""
    found: list[StageSpec] = []
    for name in reversed(names):
        made = spec(name, found[0].url if found else None)
        found.insert(0, msgspec.structs.replace(more[name], env={**made.env, **more[name].env}) if name in more else made)
    return ChainPlan(chain=found, egress=[])


def worker(*slugs: str, key: str = "k", port: int = 6000) -> ChainPlan:
    config = json.dumps({"api_key": key, "models": {slug: {} for slug in slugs}}).encode()
    return msgspec.structs.replace(chain("ir"), egress=[spec("w", secret=True, config=config, port=port)])


def words(old: ChainPlan, new: ChainPlan) -> list[str]:
    return [change.words for change in rewiring.compare(old, new).changes]


def test_the_same_plan_changes_nothing() -> None:
    way = rewiring.compare(chain("iar"), chain("iar"))
    assert (way.changes, way.order) == ([], "")


def test_a_stage_that_is_put_in_is_new_and_the_one_before_it_is_led_there() -> None:
    assert words(chain("ir"), chain("iar")) == ["i: its next hop changed → replaced", "a: new, between i and r"]
    assert rewiring.compare(chain("ir"), chain("iar")).order == "i → r  ⇒  i → a → r"


def test_a_stage_that_is_taken_out_is_told_last() -> None:
    assert words(chain("iar"), chain("ir")) == ["i: its next hop changed → replaced", "a: taken out"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"config": b"{}"}, "its configuration"),
        ({"argv": ("other",)}, "its program"),
        ({"content": "digest"}, "its files"),
        ({"env": {"LEVEL": "2"}}, "its environment"),
        ({"drain_seconds": 1.0}, "its configuration"),
    ],
)
def test_what_differs_is_told_in_words(change: dict[str, Any], why: str) -> None:
    assert words(chain("iar"), chain("iar", a=spec("a", **change))) == [f"a: {why} changed → replaced"]


def test_whether_a_stage_sleeps_at_first_is_no_change() -> None:
    assert words(chain("iar"), chain("iar", a=spec("a", lazy=True))) == []


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [
        ("iabr", "ibar", "ab"),
        ("iabcr", "icabr", "abc"),
        ("iabcr", "iacbr", "bc"),
        ("iabr", "iaxbr", ""),
        ("iabr", "ibr", ""),
        ("iabr", "ixr", ""),
        ("iabcr", "ibaxcr", "ab"),
    ],
)
def test_a_stage_that_moves_and_those_that_it_passes_need_a_new_address(old: str, new: str, moved: str) -> None:
    assert set(rewiring.unfit(chain(old), chain(new), hand_on=True)) == set(moved)


def test_a_stage_at_a_new_address_is_started_anew() -> None:
    old, new = chain("iabr"), chain("ibar", a=spec("a", port=7001), b=spec("b", port=7002))
    assert rewiring.unfit(old, new, hand_on=True) == {}
    assert words(old, new) == [
        "i: its next hop changed → replaced",
        "b: its place in the chain changed → started anew",
        "a: its place in the chain changed → started anew",
    ]


def test_a_program_takes_no_socket_over_so_a_change_gives_it_another_address() -> None:
    def program(port: int, next: int) -> StageSpec:
        argv = ("relay", str(port), f"http://127.0.0.1:{next}")
        return spec("a", kind="command", argv=argv, inherits=False, port=port, env={NEXT: f"http://127.0.0.1:{next}"})

    old = chain("iar", a=program(4003, 4006))
    assert rewiring.unfit(old, chain("iar", a=program(4003, 4006)), hand_on=True) == {}
    assert rewiring.differences(program(4003, 4006), program(4003, 4005)) == ["its next hop"]
    changed = chain("iar", a=msgspec.structs.replace(program(4003, 4006), config=b"{}"))
    assert rewiring.unfit(old, changed, hand_on=True) == {"a": "its configuration"}


def test_where_no_socket_can_be_handed_on_every_change_needs_another_address() -> None:
    changed = chain("iar", a=spec("a", config=b"{}"))
    assert rewiring.unfit(chain("iar"), changed, hand_on=True) == {}
    assert rewiring.unfit(chain("iar"), changed, hand_on=False) == {"a": "its configuration"}


@pytest.mark.parametrize(("after", "stays"), [(("one",), True), (("one", "two"), True), (("two",), False)])
def test_a_worker_stays_where_it_is_as_long_as_it_serves_what_it_did(after: tuple[str, ...], stays: bool) -> None:
    assert (rewiring.unfit(worker("one"), worker(*after, key="other"), hand_on=True) == {}) is stays


def test_a_probe_moves_with_the_stages_between_which_it_stands() -> None:
    def probed(names: str) -> ChainPlan:
        return msgspec.structs.replace(chain(names), probes=[spec("probe", f"http://127.0.0.1:{PORTS['b']}", port=8000)])

    assert set(rewiring.unfit(probed("iabcr"), probed("icabr"), hand_on=True)) == {"a", "b", "c", "probe"}
    assert rewiring.unfit(probed("iabr"), probed("ixabr"), hand_on=True) == {}


def test_of_a_new_worker_and_a_probe_it_is_told_where_they_stand() -> None:
    plain = chain("ir")
    probe = spec("probe", plain.chain[1].url, port=8000)
    new = msgspec.structs.replace(plain, probes=[probe], egress=worker("one").egress)
    assert words(plain, new) == ["probe: new, between i and r", "w: new, behind r"]
