"""A budget on a real chain: what is used is counted and shown, a refusal says why, and a new router does not forget."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from chat_answers import DONE, Answer, chunk, finish
from custom_stages import INGRESS, ROUTER, pipeline
from responses_client import ask, ask_all
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from waiting import until

LIMIT = '\n[[stage.limits]]\nmodels = ["dear"]\ndollars_per_day = 0.2\n'
PRICE = {"input": 1000, "output": 1000}
PLACE = "<cwd>/home/me/shop</cwd> hi"


def answered() -> Answer:
    return Answer(chunk(content="Hello"), finish("stop", 100, 7), DONE)


def counted(chain: RunningChain, requests: int) -> list[dict[str, Any]]:
    """What `usage` shows by project, once all is counted. A log line comes a moment after what it tells of."""

    def told() -> list[dict[str, Any]]:
        rows = json.loads(chain.cli("usage", "--by", "project", "--json").stdout)["rows"]
        return rows if sum(row["requests"] for row in rows) == requests else []

    return until(told, f"{requests} requests are counted")


def test_a_budget_is_kept_across_a_new_router_and_everything_used_is_counted(
    start_chain: StartChain, upstream: ScriptedUpstream
) -> None:
    models = [upstream.model(slug="dear", price=PRICE), upstream.model(slug="free")]
    chain = start_chain(models=models, pipeline=pipeline(INGRESS, ROUTER + LIMIT))
    upstream.script(answered(), answered(), answered())
    for _ in range(2):
        assert ask_all(chain, PLACE, model="dear")[-1]["type"] == "response.completed"
    (row,) = counted(chain, 2)
    assert (row["project"], row["input"], row["output"], round(row["dollars"], 3)) == ("/home/me/shop", 200, 14, 0.214)

    assert list(chain.control.ask("restart", stage="router"))[-1]["ok"]
    failed = ask_all(chain, PLACE, model="dear")[-1]["response"]["error"]
    assert failed["code"] == "invalid_prompt", "Codex does not ask again"
    assert failed["message"].startswith("the budget of $0.20 a day for `dear` in pipeline.toml is spent ($0.21)")
    with ask(chain, model="dear", codex=False) as answer:
        assert (answer.status, answer.json()["error"]["code"]) == (402, "insufficient_quota")
    assert ask_all(chain, model="free")[-1]["type"] == "response.completed"
    assert len(upstream.requests) == 3

    assert {row["project"]: row["requests"] for row in counted(chain, 3)} == {"/home/me/shop": 2, "": 1}
    request = urllib.request.Request(chain.origin + "/api/usage", headers={"authorization": f"Bearer {chain.token}"})
    with urllib.request.urlopen(request) as answer:
        told = json.load(answer)
    assert [model["slug"] for model in told["today"]["models"]] == ["dear", "free"]
    assert (told["week"]["total"]["requests"], told["week"]["total"]["cost"]) == (3, "> $0.21")
