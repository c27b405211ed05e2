"""What a trial concludes: the failing hop from the lines of the stages, and whether a model is fit for Codex from its answers."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.orchestrator.trial import hop
from codex_shim.orchestrator.trial.answer import Answer, Trouble
from codex_shim.orchestrator.trial.report import report

CHAIN = ["ingress", "policy", "router"]


def line(stage: str, **more: Any) -> dict[str, Any]:
    return {"stage": stage, "event": "request", "request_id": "r", "outcome": "ok", **more}


def found(*lines: dict[str, Any]) -> Any:
    return hop.records(lines, "r")


def test_the_stage_nearest_to_the_provider_that_tells_of_a_failure_is_the_one() -> None:
    lines = found(
        line("worker", error="401"), line("router", egress="worker"), line("policy"), line("ingress", outcome="invalid_api_key")
    )
    assert hop.failing(lines, CHAIN) == "worker"
    assert hop.failing({name: lines[name] for name in CHAIN}, CHAIN) == "ingress"


def test_who_was_still_waiting_when_the_client_left_is_the_one_that_was_waited_for() -> None:
    waiting = [line(name, outcome="cancelled") for name in CHAIN]
    assert hop.failing(found(*waiting), CHAIN) == "router"
    assert hop.failing(found(*waiting, line("worker", outcome="cancelled")), CHAIN) == "worker"


def test_a_failure_in_mid_stream_is_one_and_lines_of_others_are_none() -> None:
    assert hop.failing(found(line("ingress"), line("policy", ended="response.failed")), CHAIN) == "policy"
    others = [line("router", request_id="other", error="x"), {"stage": "router", "event": "bug", "request_id": "r"}]
    assert hop.failing(found(*others, line("ingress")), CHAIN) is None


def test_the_lines_are_complete_with_that_of_ingress_and_of_the_worker_that_the_router_names() -> None:
    assert not hop.all_there(found(line("router")), CHAIN)
    assert not hop.all_there(found(line("ingress"), line("router", egress="worker")), CHAIN)
    assert hop.all_there(found(line("ingress"), line("router", egress="worker"), line("worker")), CHAIN)
    assert hop.all_there(found(line("ingress")), CHAIN), "who refuses asks nobody else"


@pytest.mark.parametrize(
    ("code", "where", "remedy"),
    [
        ("invalid_api_key", "worker", "`codex-shim list` shows how the key is given"),
        ("model_not_found", "worker", "correct `model` of this row"),
        ("model_not_found", "router", "`codex-shim pipeline reload`"),
        ("server_error", "worker", "`codex-shim pipeline logs worker`"),
        ("server_error", None, "`codex-shim status`"),
        ("usage_limit_reached", "worker", "wait until the plan's limit is lifted"),
    ],
)
def test_a_failure_has_its_remedy(code: str, where: str | None, remedy: str) -> None:
    assert hop.remedy(Trouble(code, "no"), where, CHAIN).startswith(remedy)


def answered(*events: dict[str, Any]) -> Answer:
    answer = Answer(request_id="r", items=[])
    for event in events:
        answer.feed(event, 1.0)
    answer.finish()
    return answer


def completed(**usage: int) -> dict[str, Any]:
    return {"type": "response.completed", "response": {"usage": usage or None}}


def item(**call: Any) -> dict[str, Any]:
    return {"type": "response.output_item.done", "item": {"type": "function_call", **call}}


WHOLE = item(name="open_box", call_id="c", arguments='{"box": "blue"}')
TEXT = {"type": "response.output_text.delta", "delta": "A lantern."}


def statuses(*answers: Answer) -> tuple[bool, list[str]]:
    told = report("m", answers, CHAIN, lambda *_: {})
    return told["ok"], [check["status"] for check in told["checks"]]


def test_a_model_that_calls_answers_and_counts_is_fit() -> None:
    whole = answered(TEXT, completed(input_tokens=1, output_tokens=2, total_tokens=3))
    assert statuses(answered(WHOLE, completed()), whole) == (True, ["ok", "ok", "ok"])


def test_usage_that_is_told_by_halves_is_a_warning_and_no_text_is_a_failure() -> None:
    call = answered(WHOLE, completed())
    assert statuses(call, answered(TEXT, completed(input_tokens=1))) == (True, ["ok", "ok", "warning"])
    assert statuses(call, answered(completed())) == (False, ["ok", "failed", "warning"])


@pytest.mark.parametrize(
    "call",
    [
        item(name="open_box", call_id="c", arguments='{"box": '),
        item(name="open_box", call_id="c", arguments='["blue"]'),
        item(name="open_box", call_id="c", arguments="{}"),
        item(name="open_box", arguments='{"box": "blue"}'),
        item(name="box", call_id="c", arguments='{"box": "blue"}'),
    ],
)
def test_a_call_that_codex_could_not_run_is_a_failure(call: dict[str, Any]) -> None:
    assert statuses(answered(call, completed())) == (False, ["failed", "warning"])


@pytest.mark.parametrize(
    ("last", "trouble"),
    [
        ({"type": "keepalive"}, Trouble("server_error", "the answer ended before it was complete")),
        (
            {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}},
            Trouble("incomplete", "the answer was cut off (max_output_tokens)"),
        ),
        ({"type": "response.failed", "response": {"error": {"code": "x", "message": "y"}}}, Trouble("x", "y")),
    ],
)
def test_an_answer_that_is_not_whole_is_none(last: dict[str, Any], trouble: Trouble) -> None:
    answer = answered(TEXT, last)
    assert (answer.trouble, answer.whole, answer.first_token) == (trouble, None, 1.0)
