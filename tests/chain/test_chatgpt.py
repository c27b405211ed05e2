"""The ChatGPT passthrough in a real chain, toward a backend over TLS that is as strict as the real one.

Between ingress and policy stands a program that writes down all the headers it gets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from chat_answers import Answer, Reset, says
from chatgpt_backend import LIMITS, PATH, RESET_AT, ChatGptBackend, limit_reached
from chatgpt_login import MARK, Login, write_api_key_auth, write_auth
from codex_shim.stages.contract import summary
from pipelines import INGRESS, POLICY, ROUTER, pipeline, program
from png import DATA_URL
from raw_http import Plain, send
from responses_answers import Item, message
from responses_client import ask, ask_all, error_of, text_of, user
from running_chain import RunningChain, bare_environment, write_files
from scripted_upstream import KEY, ScriptedUpstream
from systems import needs_proc
from waiting import until

SLUG, ALIAS = "gpt-5.5", "openai-gpt-5-5"
# A row of models.json has this slug, which is also one of ChatGPT's. Ours are shown without dots.
OURS, OURS_SHOWN = "gpt-5.4", "gpt-5-4"
TRIGGER = {"type": "compaction_trigger"}
CODEX = {"originator": "codex_exec", "user-agent": "codex_exec/0.169.0 (Debian; x86_64)"}


class Subscribed(NamedTuple):
    """A chain, the backend it leads to, a provider beside it, and the folder in which Codex keeps its login."""

    chain: RunningChain
    backend: ChatGptBackend
    provider: ScriptedUpstream
    codex_home: Path
    noted: Path

    def log_in(self) -> Login:
        made = self.backend.login()
        write_auth(self.codex_home, made)
        return made

    def log_out(self) -> None:
        (self.codex_home / "auth.json").unlink(missing_ok=True)

    @property
    def headers_seen(self) -> list[dict[str, str]]:
        """What the program between ingress and policy got."""
        return [json.loads(line) for line in self.noted.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subscribed]:
    """One chain for all tests of this file that start none of their own."""
    folder = tmp_path_factory.mktemp("chatgpt")
    backend, provider, home = ChatGptBackend(folder), ScriptedUpstream(), folder / "shim"
    noted = folder / "noted.jsonl"
    noted.touch()
    text = pipeline(INGRESS, program("noting", "noting.py", "{port}", "{next}", str(noted)), POLICY, ROUTER, backend.table)
    models = [provider.model(), provider.model(slug=OURS, model="ours")]
    chain = RunningChain(home, bare_environment(folder / "user", backend.environ), write_files(home, models, text))
    subscribed = Subscribed(chain, backend, provider, folder / "user" / ".codex", noted)
    subscribed.log_in()
    chain.up()
    yield subscribed
    chain.down()
    provider.close()
    backend.close()


@pytest.fixture
def at(kept: Subscribed) -> Subscribed:
    """Logged in, nothing scripted, and nothing remembered of an earlier test."""
    kept.backend.script()
    kept.provider.script()
    kept.noted.write_text("")
    kept.log_in()
    until(lambda: health(kept.chain)["chatgpt_passthrough"], "the login is seen")
    return kept


# -- requests ---------------------------------------------------------------------------------------------------------


def codex_body(*items: dict[str, Any], model: str = SLUG, **more: Any) -> dict[str, Any]:
    """What Codex sends, as far as the backend minds."""
    developer = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "You are Codex."}]}
    fixed = {"store": False, "include": ["reasoning.encrypted_content"], "reasoning": {"effort": "medium", "summary": "auto"}}
    return {"model": model, "stream": True, "input": [developer, *items], "tools": [], **fixed, **more}


def post(chain: RunningChain, raw: bytes, headers: dict[str, str] | None = None, path: str = "/v1/responses") -> Plain:
    """What a raw request of Codex's gets. `headers` come on top of its own."""
    return send(chain, "POST", path, raw, {**CODEX, **(headers or {})})


def health(chain: RunningChain) -> dict[str, Any]:
    return send(chain, "GET", "/health").json()


def offered(chain: RunningChain) -> set[str]:
    """The slugs of `/v1/models`, in both of its shapes."""
    told = send(chain, "GET", "/v1/models").json()
    in_data, in_models = ({row[key] for row in told[name]} for name, key in (("data", "id"), ("models", "slug")))
    assert in_data == in_models
    return in_data


def in_catalog(chain: RunningChain) -> set[str]:
    return {entry["slug"] for entry in json.loads((chain.home / "custom_model_catalog.json").read_bytes())["models"]}


def as_user(made: Login, chain: RunningChain) -> dict[str, str]:
    """The headers of a Codex that is told `requires_openai_auth`."""
    return {
        "authorization": f"Bearer {made.access_token}",
        "chatgpt-account-id": made.account_id,
        "x-codex-shim-token": chain.token,
    }


def done(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["item"] for event in events if event["type"] == "response.output_item.done"]


def turn_of(at: Subscribed, *items: Item) -> list[dict[str, Any]]:
    """All events of a turn in which the backend says this."""
    at.backend.script(at.backend.turn(*items))
    return turn(at, user("hi"))


def turn(at: Subscribed, *items: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """All events of a request of Codex's."""
    body = codex_body(*items, **more)
    return ask_all(at.chain, headers=CODEX, **body)


# -- the passthrough --------------------------------------------------------------------------------------------------


def test_bytes_of_codex_reach_the_backend_and_bytes_of_the_backend_reach_codex(at: Subscribed) -> None:
    made = at.log_in()
    answer = at.backend.turn(at.backend.thinks("Hm."), message("Hé", "llo"))
    at.backend.script(answer)
    # Spaces, escapes, an order of its own, and things that nobody knows: all of it is the user's prompt cache.
    raw = json.dumps(codex_body(user("hé"), {"type": "new_item", "z": 1.50, "a": None}, new_field={"b": 1, "a": [2]})).encode()
    sent = {"session-id": "s-1", "thread-id": "t-1", "x-codex-window-id": "t-1:0", "x-codex-beta-features": "remote_compaction_v2"}
    got = post(at.chain, raw, sent)
    assert (got.status, got.body) == (200, answer.body)
    (request,) = at.backend.requests
    assert (request.method, request.path, request.raw) == ("POST", f"{PATH}/responses", raw)
    assert request.headers["authorization"] == f"Bearer {made.access_token}"
    assert request.headers["chatgpt-account-id"] == made.account_id
    assert {name: request.headers.get(name) for name in (*CODEX, *sent)} == {**CODEX, **sent}
    assert not [name for name in request.headers if name.startswith("x-codex-shim")]
    assert at.chain.token not in json.dumps(request.headers)
    # D55: limits and turn state come back, the name of another model does not.
    assert {name: got.headers.get(name) for name in LIMITS} == LIMITS
    assert got.headers["x-codex-turn-state"].startswith("turn-state-")
    assert got.headers["x-reasoning-included"] == "true"
    assert got.headers["x-upstream-request-id"] == "req_1"
    assert "openai-model" not in got.headers


def test_what_the_backend_refuses_is_left_out_of_another_clients_request(at: Subscribed) -> None:
    """D55: `max_output_tokens` and its like, `stream`, `store`, instructions, and the role of a system."""
    at.backend.script(at.backend.turn(message("whole")))
    refused = {"temperature": 1, "top_p": 0.5, "max_output_tokens": 100, "truncation": "auto", "metadata": {}, "user": "me"}
    asked = [{"role": "system", "content": "Be brief."}, user("hi")]
    with ask(at.chain, model=SLUG, codex=False, stream=False, input=asked, parallel_tool_calls=True, **refused) as answer:
        assert (answer.status, answer.json()["output"][0]["content"][0]["text"]) == (200, "whole")
    sent = at.backend.requests[0].body
    assert not refused.keys() & sent.keys()
    assert (sent["stream"], sent["store"], sent["include"]) == (True, False, ["reasoning.encrypted_content"])
    assert not at.backend.refused


def test_the_alias_is_the_same_model(at: Subscribed) -> None:
    at.backend.script(at.backend.turn(message("same")))
    assert text_of(turn(at, user("hi"), model=ALIAS)) == "same"
    assert at.backend.requests[0].body["model"] == SLUG


def test_a_row_of_models_json_wins_over_the_subscriptions_slug(at: Subscribed) -> None:
    """D53."""
    at.provider.script(says("ours"), says("ours"))
    for slug in (OURS, OURS_SHOWN):
        assert text_of(ask_all(at.chain, model=slug)) == "ours"
        assert at.provider.requests[-1].body["model"] == "ours"
        assert at.provider.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert at.backend.requests == []


def test_words_and_pictures_of_a_conversation_never_choose_chatgpt(at: Subscribed) -> None:
    """D54."""
    picture = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": DATA_URL}]}
    at.provider.script(says("stays"), says("stays"))
    for words in ("refactor parser.py and make it more robust", "draw an image of a logo with gpt-5.5 on chatgpt"):
        assert text_of(ask_all(at.chain, model="scripted", input=[picture, user(words)])) == "stays"
    assert at.backend.requests == []


def test_no_request_says_where_to_send_the_token(at: Subscribed) -> None:
    at.backend.script(at.backend.turn(message("here")))
    elsewhere = at.provider.url
    named = {"x-base-url": elsewhere, "x-forwarded-host": "127.0.0.1", "openai-base-url": elsewhere, "x-upstream": elsewhere}
    raw = json.dumps(codex_body(user("hi"), base_url=elsewhere, chatgpt_base_url=elsewhere)).encode()
    assert post(at.chain, raw, named, "/v1/responses?base_url=" + elsewhere).status == 200
    assert [request.path for request in at.backend.requests] == [f"{PATH}/responses"]
    assert at.provider.requests == []


def test_a_client_that_reads_nothing_holds_the_backend_back(at: Subscribed) -> None:
    delta = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0, "delta": "x" * 60_000}
    at.backend.script(Answer(*[{**delta, "sequence_number": number} for number in range(1000)]))
    with ask(at.chain, headers=CODEX, **codex_body(user("hi"))):
        pass
    request = at.backend.requests[0]
    request.wait_until_left()
    assert request.answered_at is None, "60 MB do not fit between them"


def test_what_has_begun_is_not_asked_again_whatever_becomes_of_it(at: Subscribed) -> None:
    """A thought that the backend cannot verify is left out before the first byte, or not at all."""
    thought = at.backend.thinks("Hm.")
    (item,) = done(turn_of(at, thought))
    error = {"code": "invalid_encrypted_content", "message": "The encrypted content could not be verified."}
    begun = at.backend.turn(message("Hel")).steps[:2]
    failed = {"type": "response.failed", "sequence_number": 9, "response": {"id": "resp_1", "error": error}}
    at.backend.script(Answer(*begun, failed), Answer(*begun, Reset()))
    for number in (1, 2):
        assert turn(at, item, user("hi"))[-1]["type"] == "response.failed"
        assert len(at.backend.requests) == number


# -- compaction -------------------------------------------------------------------------------------------------------


def test_compaction_is_the_backends_own_both_ways(at: Subscribed) -> None:
    (item,) = done(turn(at, user("hi"), TRIGGER))
    assert (item["type"], summary.text_of(item)) == ("compaction", None)
    assert at.backend.requests[0].body["input"][-1] == TRIGGER
    at.backend.script(at.backend.turn(message("on")))
    assert text_of(turn(at, item, user("go on"))) == "on"
    assert at.backend.requests[0].body["input"][1] == item
    raw = json.dumps({"model": SLUG, "input": [user("hi")], "instructions": "You are Codex."}).encode()
    got = post(at.chain, raw, path="/v1/responses/compact")
    assert (got.status, got.json()["object"], got.json()["output"][0]["type"]) == (200, "response.compaction", "compaction")
    assert got.headers["x-codex-primary-used-percent"] == LIMITS["x-codex-primary-used-percent"]
    assert (at.backend.requests[-1].path, at.backend.requests[-1].raw) == (f"{PATH}/responses/compact", raw)


def test_a_conversation_moves_to_a_provider_and_back(at: Subscribed) -> None:
    """Each side gets its own sealed thoughts back, and nothing of the other's. A summary of ours is told in words."""
    at.backend.script(at.backend.turn(at.backend.thinks("Theirs."), message("one")))
    first = done(turn(at, user("a")))
    at.provider.script(says("two"))
    history = [user("a"), *first, user("b")]
    assert text_of(turn(at, *history, model="scripted")) == "two"
    assert "gAAAAA" not in at.provider.requests[0].text
    ours = {"id": "rs_o", "type": "reasoning", "summary": [], "encrypted_content": "csh1.eyJ2IjoxfQ", "content": None}
    foreign = {**ours, "id": "rs_x", "encrypted_content": "c29tZW9uZSBlbHNl"}
    spoken = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "two"}]}
    at.backend.script(at.backend.turn(message("three")), at.backend.turn(message("three")))
    assert text_of(turn(at, *history, ours, spoken, user("c"))) == "three"
    sent = at.backend.requests[0].body["input"]
    assert first[0] in sent, "the backend's own thought comes back as it was"
    assert [item for item in sent if item["type"] == "reasoning"] == [first[0]]
    assert text_of(turn(at, *history, foreign, spoken, user("c"))) == "three", "what the backend cannot verify is left out"
    at.provider.script(says("So far."))
    (summed,) = done(turn(at, *history, TRIGGER, model="scripted"))
    at.backend.script(at.backend.turn(message("four")))
    assert text_of(turn(at, summed, user("d"))) == "four"
    assert "So far." in at.backend.requests[0].text


def test_a_history_that_chatgpt_compacted_is_refused_for_another_model(at: Subscribed) -> None:
    (item,) = done(turn(at, user("hi"), TRIGGER))
    told = error_of(turn(at, item, user("go on"), model="scripted"))
    assert told["code"] == "invalid_prompt"
    assert "compacted by another model" in told["message"]
    assert at.provider.requests == []


# -- logins -----------------------------------------------------------------------------------------------------------


def test_each_login_that_cannot_be_used_says_what_to_do(at: Subscribed) -> None:
    """An expired one is told as such, and never sent."""
    write_auth(at.codex_home, at.backend.login(seconds=-5))
    expired = error_of(turn(at, user("hi")))
    at.log_out()
    missing = error_of(turn(at, user("hi")))
    write_api_key_auth(at.codex_home)
    key = error_of(turn(at, user("hi")))
    assert at.backend.requests == []
    at.backend.withdraw(at.log_in())
    refused = error_of(turn(at, user("hi")))
    assert "expired" in expired["message"]
    assert "API key" in key["message"]
    for told in (expired, missing, key, refused):
        assert told["code"] == "invalid_prompt", "Codex shows the sentence once and tries no more"
        assert "`codex login`" in told["message"]
        assert MARK not in told["message"]


def test_a_login_is_seen_to_come_and_go_without_a_restart(at: Subscribed) -> None:
    chain, before = at.chain, at.chain.pids
    until(lambda: SLUG in in_catalog(chain) and SLUG in offered(chain), "ChatGPT's models are on offer")
    assert ALIAS not in offered(chain), "an alias is served, and not shown twice"
    assert SLUG in chain.cli("list").stdout
    rows = health(chain)["models"]
    at.log_out()
    until(lambda: not health(chain)["chatgpt_passthrough"], "the logout is seen")
    until(lambda: in_catalog(chain) == {"scripted", OURS_SHOWN}, "the catalog follows")
    assert offered(chain) == {"scripted", OURS_SHOWN}
    assert health(chain)["models"] == 2 < rows
    assert SLUG not in chain.cli("list").stdout
    write_auth(at.codex_home, at.backend.login(seconds=-5))
    assert SLUG not in chain.cli("list").stdout
    at.log_in()
    until(lambda: health(chain)["chatgpt_passthrough"], "the login is seen")
    until(lambda: SLUG in in_catalog(chain), "the catalog follows")
    assert SLUG in offered(chain)
    at.backend.script(at.backend.turn(message("back")))
    assert text_of(turn(at, user("hi"))) == "back"
    assert {name: pid for name, pid in chain.pids.items() if name in before} == before


def test_the_limit_of_the_plan_is_told_with_its_end(at: Subscribed) -> None:
    at.backend.script(limit_reached(), limit_reached())
    with ask(at.chain, **codex_body(user("hi")), codex=False) as answer:
        assert answer.status == 429
        assert answer.json()["error"]["code"] == "usage_limit_reached"
        assert {name: answer.headers.get(name) for name in LIMITS} == LIMITS
    got = post(at.chain, json.dumps(codex_body(user("hi"))).encode())
    assert b"usage limit" in got.body
    assert (got.status, b"2030" in got.body or str(RESET_AT).encode() in got.body) == (200, True)


# -- the user's token, sent by Codex itself ---------------------------------------------------------------------------


def test_the_token_that_codex_sends_serves_without_a_file_and_no_stage_between_can_read_it(at: Subscribed) -> None:
    at.log_out()
    until(lambda: not health(at.chain)["chatgpt_passthrough"], "the logout is seen")
    made = at.backend.login("account-2")
    at.backend.script(at.backend.turn(message("yours")))
    got = post(at.chain, json.dumps(codex_body(user("hi"))).encode(), as_user(made, at.chain))
    assert (got.status, b"yours" in got.body) == (200, True)
    sent = at.backend.requests[0].headers
    assert (sent["authorization"], sent["chatgpt-account-id"]) == (f"Bearer {made.access_token}", "account-2")
    (seen,) = at.headers_seen
    assert "x-codex-shim-user" in seen
    assert not {"x-codex-shim-token", "chatgpt-account-id"} & seen.keys()
    assert at.chain.token not in json.dumps(seen)
    assert MARK not in at.noted.read_text()


def test_a_provider_gets_neither_the_users_token_nor_its_seal(at: Subscribed) -> None:
    at.provider.script(says("mine"))
    raw = json.dumps({"model": "scripted", "stream": True, "input": [user("hi")]}).encode()
    got = post(at.chain, raw, as_user(at.backend.login(), at.chain))
    assert (got.status, b"mine" in got.body) == (200, True)
    sent = at.provider.requests[0].headers
    assert sent["authorization"] == f"Bearer {KEY}"
    assert not [name for name in sent if name.startswith(("x-codex-shim", "chatgpt-"))]


def test_a_users_token_alone_opens_nothing(at: Subscribed) -> None:
    made = at.backend.login()
    own = as_user(made, at.chain)
    raw = json.dumps(codex_body(user("hi"))).encode()
    for wrong in ({**own, "x-codex-shim-token": "guessed"}, {name: own[name] for name in own if name != "x-codex-shim-token"}):
        body = post(at.chain, raw, wrong).body
        assert b"token" in body
        assert MARK.encode() not in body
    # A seal of somebody else's making is none, and the file serves instead, or nothing does.
    at.log_out()
    body = post(at.chain, raw, {"x-codex-shim-user": made.access_token}).body
    assert b"codex login" in body
    assert at.backend.requests == []


# -- switched off, and kept secret ------------------------------------------------------------------------------------


def test_a_switch_takes_it_out_of_the_chain(
    start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    backend = ChatGptBackend(tmp_path)
    write_auth(tmp_path / "user" / ".codex", backend.login())
    chain = start_chain([upstream.model()], environ={**backend.environ, "CODEX_SHIM_DISABLE_CHATGPT": "1"})
    assert (health(chain)["chatgpt_passthrough"], offered(chain)) == (False, {"scripted"})
    assert not [row for row in chain.status()["stages"] if "chatgpt" in row["name"]]
    assert error_of(ask_all(chain, model=SLUG))["code"] == "model_not_found"
    backend.close()


@needs_proc
def test_no_token_is_found_anywhere_outside_auth_json(at: Subscribed) -> None:
    at.backend.script(*[at.backend.turn(message("x")) for _ in range(2)])
    turn(at, user("hi"))
    raw = json.dumps(codex_body(user("hi"))).encode()
    post(at.chain, raw, as_user(at.backend.login(), at.chain))
    at.backend.withdraw(at.log_in())
    turn(at, user("hi"))
    post(at.chain, raw, as_user(at.backend.login(seconds=-5), at.chain))
    commands = (
        ("status", "--json"),
        ("list", "--json"),
        ("list",),
        ("pipeline", "logs", "--json"),
        ("doctor",),
        ("doctor", "--json"),
    )
    shown = [at.chain.cli(*words, check=False) for words in commands]
    assert not [done.args for done in shown if MARK in done.stdout + done.stderr]
    files = [path for path in at.chain.home.rglob("*") if path.is_file() and MARK.encode() in path.read_bytes()]
    assert files == []
    for process in at.chain.note_processes():
        for name in ("environ", "cmdline", "comm"):
            assert MARK.encode() not in Path(f"/proc/{process.pid}/{name}").read_bytes()
