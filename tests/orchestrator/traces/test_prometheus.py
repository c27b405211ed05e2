"""The counters: whole, cumulative, and bounded whatever is asked for."""

from __future__ import annotations

import re

from codex_shim.orchestrator.traces import line, meter
from codex_shim.orchestrator.traces.meter import Meter
from codex_shim.orchestrator.traces.prometheus import render
from request_lines import exchange
from request_lines import line as written

SAMPLE = re.compile(r'codex_shim_[a-z_]+\{([a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\} [0-9.e+-]+')


def fed(*lines: tuple[str, str]) -> Meter:
    counters = Meter("ingress")
    for stage, text in lines:
        told = line.read(text)
        assert told is not None
        counters.feed(stage, told)
    return counters


def test_each_line_is_a_comment_or_a_sample_of_a_family_that_was_announced() -> None:
    text = render(fed(*exchange(), ('od"d\\\n', written(outcome="bug"))), {"ingress": True, "policy": False}, {"ingress": 2})
    assert text.endswith("\n")
    announced: set[str] = set()
    for each in text.splitlines():
        if each.startswith("# TYPE "):
            announced.add(each.split()[2])
        elif not each.startswith("# HELP "):
            assert SAMPLE.fullmatch(each), each
            name = each.partition("{")[0]
            assert name in announced or re.sub(r"_(bucket|sum|count)$", "", name) in announced
    assert 'codex_shim_stage_up{stage="policy"} 0' in text
    assert 'codex_shim_stage_restarts_total{stage="ingress"} 2' in text
    assert 'codex_shim_tokens_total{slug="kimi",upstream="api.moonshot.ai",kind="cached"} 80' in text


def test_buckets_count_all_that_is_not_beyond_them() -> None:
    text = render(fed(*exchange(), *exchange("req_2")), {}, {})
    found = re.findall(r'codex_shim_request_seconds_bucket\{outcome="ok",le="([^"]+)"\} (\d+)', text)
    assert found[0] == ("0.1", "2")
    assert found[-1] == ("+Inf", "2")
    assert 'codex_shim_request_seconds_sum{outcome="ok"} 0.08\n' in text
    assert 'codex_shim_request_seconds_count{outcome="ok"} 2\n' in text


def test_names_that_come_from_outside_do_not_fill_the_memory() -> None:
    many = [("kimi", written(f"r{n}", model=f"model-{n}", upstream="h")) for n in range(meter.MOST_SERIES + 50)]
    counted = dict(fed(*many).model_requests)
    assert len(counted) == meter.MOST_SERIES + 1
    assert counted[("other", "other", "other")] == 50


def test_what_failed_within_a_stream_has_failed() -> None:
    counters = fed(("ingress", written(ended="response.failed")), ("ingress", written(outcome="cancelled")), ("ingress", written()))
    assert dict(counters.requests) == {("ingress", name): 1 for name in ("failed", "cancelled", "ok")}
