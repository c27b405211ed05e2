"""The router as a stage: whose login goes on, what is read when, and what the list of models says of itself."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from codex_shim.stages.contract.advertised import Advertised, encode
from codex_shim.stages.contract.handshake import Handshake
from codex_shim.stages.kit.logs import Log
from codex_shim.stages.kit.stage import Context
from codex_shim.stages.router.config import Config, Route
from codex_shim.stages.router.stage import Router

LOGIN = {"X-Codex-Shim-User": "sealed", "originator": "codex_exec"}


class FakeExchange:
    """As much of an exchange as a router touches."""

    def __init__(self, model: str = "", *said: str, **headers: str) -> None:
        self.headers: Any = _CaseInsensitive(headers)
        self.notes: dict[str, Any] = {}
        self.answer: bytes = b""
        self.answer_headers: dict[str, str] = {}
        spoken = {"input": [{"role": "user", "content": words} for words in said]} if said else {}
        self._body = json.dumps({"model": model, **spoken}).encode()

    async def body(self) -> bytes:
        return self._body

    async def reply(self, payload: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.answer, self.answer_headers = payload, headers or {}


class _CaseInsensitive(dict[str, str]):
    """Like the mapping of a real exchange."""

    def __contains__(self, name: object) -> bool:
        return any(str(name).lower() == each.lower() for each in self)


class FakeNext:
    """Where the router sends to: it keeps what came."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], bytes]] = []

    def to(self, url: str, name: str) -> FakeNext:
        return self

    async def relay(self, exchange: FakeExchange, body: bytes) -> None:
        self.came.append((exchange.notes["egress"], dict(exchange.headers), body))


def make(folder: Path, offer: Advertised | None = None) -> tuple[Router, FakeNext]:
    """Without `offer` there is no file that says what is on offer."""
    if offer is not None:
        (folder / "advertised.json").write_bytes(encode(offer))
    entries = [{"slug": "gpt-5.5", "base_instructions": "long"}, {"slug": "composer-2-5"}]
    (folder / "subscriptions.json").write_text(json.dumps({"models": entries}))
    url = "http://127.0.0.1:1"
    config = Config(
        routes={
            "kimi": Route(egress="moonshot", url=url, model="kimi"),
            "gpt-5.5": Route(egress="chatgpt", url=url, model="gpt-5.5", subscription="chatgpt"),
            "openai-gpt-5-5": Route(egress="chatgpt", url=url, model="gpt-5.5", subscription="chatgpt", hidden=True),
            "composer-2-5": Route(egress="cursor", url=url, model="composer-2-5", subscription="cursor"),
        },
        catalog=[{"slug": "kimi"}],
        advertised=str(folder / "advertised.json"),
        subscription_catalog=str(folder / "subscriptions.json"),
    )
    handshake = Handshake(stage="router", host="127.0.0.1", port=0)
    router = Router(Context(handshake, config, Log("router")))
    router.context.next = following = FakeNext()  # pyright: ignore[reportAttributeAccessIssue]
    return router, following


def ask(router: Router, exchange: FakeExchange) -> None:
    asyncio.run(router.responses(exchange))  # pyright: ignore[reportArgumentType]


def models(router: Router, exchange: FakeExchange) -> dict[str, Any]:
    asyncio.run(router.models(exchange))  # pyright: ignore[reportArgumentType]
    return json.loads(exchange.answer)


@pytest.mark.parametrize(
    ("slug", "egress", "brought"),
    [
        ("kimi", "moonshot", False),
        ("composer-2-5", "cursor", False),
        ("gpt-5.5", "chatgpt", True),
        ("openai-gpt-5-5", "chatgpt", True),
    ],
)
def test_d53_the_users_login_goes_to_chatgpt_and_to_nobody_else(tmp_path: Path, slug: str, egress: str, brought: bool) -> None:
    router, following = make(tmp_path)
    ask(router, FakeExchange(slug, **LOGIN))
    ((came_to, headers, body),) = following.came
    assert came_to == egress
    assert ("sealed" in headers.values()) is brought
    assert headers["originator"] == "codex_exec"
    assert json.loads(body) == {"model": "gpt-5.5" if egress == "chatgpt" else slug}


def test_d58_conversations_with_the_same_last_words_share_no_decision(tmp_path: Path) -> None:
    """Nor does anything else that is said, or the session that says it, choose a model: the slug alone does."""
    router, following = make(tmp_path)
    chosen = ["kimi", "composer-2-5", "gpt-5.5", "kimi", "composer-2-5"]
    for slug in chosen:
        ask(router, FakeExchange(slug, f"about the project of {slug}", "continue", **{"session-id": "the same"}))
    egresses = {"kimi": "moonshot", "composer-2-5": "cursor", "gpt-5.5": "chatgpt"}
    assert [(came_to, json.loads(body)["model"]) for came_to, _, body in following.came] == [(egresses[s], s) for s in chosen]


def test_a_request_for_a_chosen_model_reads_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    router, following = make(tmp_path)

    def read(*_: object) -> bytes:
        raise AssertionError("a file was read")

    monkeypatch.setattr(Path, "read_bytes", read)
    for slug in ("kimi", "gpt-5.5", "composer-2-5", "codex-auto-review"):
        ask(router, FakeExchange(slug))
    assert [egress for egress, _, _ in following.came] == ["moonshot", "chatgpt", "cursor", "moonshot"]


@pytest.mark.parametrize(
    ("offer", "headers", "slugs"),
    [
        (None, {}, ["kimi"]),
        (Advertised(), {}, ["kimi"]),
        (Advertised(cursor_passthrough=True), {}, ["kimi", "composer-2-5"]),
        (Advertised(chatgpt_passthrough=True), {}, ["kimi", "gpt-5.5"]),
        (Advertised(), LOGIN, ["kimi", "gpt-5.5"]),
        (None, LOGIN, ["kimi", "gpt-5.5"]),
    ],
)
def test_the_list_follows_the_logins_and_a_caller_who_brings_his_own_sees_what_it_opens(
    tmp_path: Path, offer: Advertised | None, headers: dict[str, str], slugs: list[str]
) -> None:
    exchange = FakeExchange(**headers)
    told = models(make(tmp_path, offer)[0], exchange)
    assert [row["id"] for row in told["data"]] == [entry["slug"] for entry in told["models"]] == slugs
    assert exchange.answer_headers["etag"].startswith('W/"codex-shim-')


def test_codex_reads_whole_entries(tmp_path: Path) -> None:
    told = models(make(tmp_path, Advertised(chatgpt_passthrough=True))[0], FakeExchange())
    assert told["models"][1] == {"slug": "gpt-5.5", "base_instructions": "long"}


def test_a_file_that_is_gone_hides_nothing_else(tmp_path: Path) -> None:
    router, _ = make(tmp_path, Advertised(chatgpt_passthrough=True))
    (tmp_path / "subscriptions.json").unlink()
    assert [entry["slug"] for entry in models(router, FakeExchange())["models"]] == ["kimi"]
