import pytest
from codex_shim.stages.egress_http.dialects.finish import Outcome, later_reason, outcome_of


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("stop", "complete"),
        ("tool_calls", "complete"),
        ("eos_token", "complete"),
        ("STOP", "complete"),
        ("length", "length"),
        ("MAX_TOKENS", "length"),
        ("content_filter", "filtered"),
        ("model_context_window_exceeded", "overflow"),
        ("error", "broken"),
        ("network_error", "broken"),
        ("insufficient_system_resource", "broken"),
    ],
)
def test_what_a_reason_means(reason: str, outcome: Outcome):
    assert outcome_of(reason) == outcome


def test_a_bad_reason_is_not_talked_over():
    assert later_reason(None, "stop") == "stop"
    assert later_reason("stop", "length") == "length"
    assert later_reason("length", "stop") == "length"
    assert later_reason("stop", "") == later_reason("stop", None) == later_reason("stop", 5) == "stop"
