"""What is counted of the lines of a request, and how it is put together."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from codex_shim.orchestrator.traces import line as lines
from codex_shim.orchestrator.usage import summary
from codex_shim.orchestrator.usage.tally import Counts, Key, Row, Tally
from codex_shim.stages.contract.price import Price
from request_lines import BEGAN, line

PRICES = {"kimi": Price(input=1.0, cached=0.1, output=10.0)}
USAGE = {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 400}, "output_tokens": 100}
LATER = BEGAN + 60


def day_of(moment: float) -> str:
    return f"day {int(moment // 86400)}"


DAY = day_of(BEGAN)


def worker(request_id: str = "req_1", **fields: Any) -> str:
    return line(request_id, **{"model": "kimi", "upstream": "api.moonshot.ai", "usage": USAGE, **fields})


def router(request_id: str = "req_1", project: str = "/home/me/shop") -> str:
    return line(request_id, model="kimi", egress="kimi", project=project)


def counted(*texts: str, until: float = LATER) -> dict[Key, Counts]:
    return taken(fed(*texts), until)


def fed(*texts: str) -> Tally:
    tally = Tally(day_of)
    for text in texts:
        told = lines.read(text)
        assert told is not None
        tally.feed(told)
    return tally


def taken(tally: Tally, until: float = LATER) -> dict[Key, Counts]:
    return tally.take(PRICES, until)


def test_a_request_is_counted_once_in_whichever_order_its_hops_tell_of_it() -> None:
    whole = Counts(requests=1, input=1000, cached=400, output=100, dollars=0.00164)
    for texts in permutations([worker(), router(), line(model="kimi", ended="response.completed", usage=USAGE)]):
        assert counted(*texts) == {(DAY, "kimi", "/home/me/shop"): whole}


def test_a_line_waits_for_the_project_and_not_for_ever() -> None:
    tally = fed(worker())
    assert taken(tally, BEGAN - 5) == {}
    assert tally.waits
    told = lines.read(router())
    assert told is not None
    tally.feed(told)
    assert [key[2] for key in taken(tally, BEGAN - 5)] == ["/home/me/shop"]
    assert not tally.waits
    assert [key[2] for key in counted(worker(), until=LATER)] == [""]


def test_what_fails_and_what_nobody_can_price_is_counted_as_such() -> None:
    failed = worker("a", usage=None, outcome="failed")
    unknown = worker("b", model="new")
    found = counted(failed, unknown, worker("c", model="kimi", path="/v1/responses/compact"))
    assert found[DAY, "kimi", ""].failed == 1
    assert found[DAY, "kimi", ""].requests == 2
    assert found[DAY, "new", ""] == Counts(requests=1, input=1000, cached=400, output=100, unpriced=1)


def test_lines_that_are_none_of_a_model_count_nothing() -> None:
    assert counted(router(), line(method="GET", upstream="x", path="/v1/models"), line("", upstream="x")) == {}


def test_groups_come_dearest_first_and_days_in_their_order() -> None:
    rows = [
        Row("2026-11-20", "cheap", "/a", Counts(requests=2, input=5, dollars=0.02)),
        Row("2026-11-21", "dear", "/a", Counts(requests=1, input=1, dollars=3.5, unpriced=1)),
        Row("2026-11-21", "plan", "", Counts(requests=1, input=9, failed=1, unpriced=1)),
    ]
    assert [name for name, _ in summary.grouped(rows, "slug")] == ["dear", "cheap", "plan"]
    assert [name for name, _ in summary.grouped(rows, "day")] == ["2026-11-20", "2026-11-21"]
    by_project = summary.table(summary.grouped(rows, "project"), "project", summary.total(rows))
    assert [(cells[0], cells[1], cells[-1]) for cells in by_project] == [
        ("/a", "3", "> $3.52"),
        ("(not known)", "1", "–"),
        ("all", "4", "> $3.52"),
    ]
    assert summary.cost(Counts(dollars=0.0042)) == "$0.0042"
