"""The egress before the ChatGPT backend: whose token goes there, what else does, and what comes back."""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple

import chatgpt_login
import pytest
from chatgpt_login import MARK, write_auth
from codex_shim.stages.contract import sealed, summary
from codex_shim.stages.contract.login import from_token
from codex_shim.stages.egress_http.config import LoginFile, Model
from codex_shim.stages.kit.client import HopClient
from raw_http import Plain
from raw_upstream import SSE, egress, plain, upstream
from responses_answers import message, response
from waiting import PATIENCE

KEY = sealed.new_key()
CODEX = {
    "originator": "codex_exec",
    "user-agent": "codex_exec/0.169.0",
    "version": "0.169.0",
    "session-id": "s",
    "thread-id": "t",
    "x-client-request-id": "t",
    "x-codex-turn-state": "T",
    "x-codex-window-id": "t:0",
    "x-openai-subagent": "review",
    "openai-beta": "responses=experimental",
}
NOT_ITS_BUSINESS = {
    "x-codex-shim-token": "local",
    "x-request-id": "req_ours",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "cookie": "c=1",
    "x-stage-of-mine": "1",
}
USER = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
DEVELOPER = {**USER, "role": "developer"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": "of another service"}
WHOLE = SSE + b"".join(step for step in response(message("Hi")).steps if isinstance(step, bytes))


class Seen(NamedTuple):
    """One request that the backend got."""

    line: str
    headers: dict[str, str]
    body: bytes


class Got(NamedTuple):
    """What the client got, and what the backend saw for it."""

    answer: Plain
    seen: list[Seen]

    @property
    def failure(self) -> str:
        return self.answer.error["message"]


def codex_body(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    fixed = {"store": False, "include": ["reasoning.encrypted_content"]}
    return {"model": "gpt-5.5", "stream": True, "input": [DEVELOPER, *items], **fixed, **more}


def ask(
    folder: Path, *answers: bytes, body: dict[str, Any] | None = None, headers: dict[str, str] = CODEX, path: str = "/responses"
) -> Got:
    """One request to the egress of a login that lies in `folder`."""
    raw = json.dumps(codex_body(USER) if body is None else body).encode()

    async def talk() -> Got:
        client = HopClient()
        try:
            async with upstream(*answers) as backend, egress_of(backend.url, folder) as url:
                async with client.open("POST", url + path, {**headers, "content-type": "application/json"}, raw) as reply:
                    named = {name.lower(): value for name, value in reply.headers.items()}
                    answer = Plain(reply.status, named, await reply.read())
                return Got(answer, [seen(request) for request in backend.requests])
        finally:
            await client.close()

    return asyncio.run(talk())


def egress_of(base_url: str, folder: Path) -> AbstractAsyncContextManager[str]:
    """The address of the egress of a login that lies in `folder`."""
    models = {"gpt-5.5": Model(model="gpt-5.5"), "openai-gpt-5-5": Model(model="gpt-5.5")}
    login = LoginFile(path=str(folder / "auth.json"), seal_key=KEY)
    return egress(base_url, dialect="responses", login=login, models=models)


def seen(request: bytes) -> Seen:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    return Seen(line, {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}, body)


def refuses(status: str, body: Any, *headers: str) -> bytes:
    return plain(status, "application/json", json.dumps(body).encode(), *headers)


@pytest.fixture
def made(tmp_path: Path) -> chatgpt_login.Login:
    """A login that lies in the file."""
    login = chatgpt_login.login("account-7")
    write_auth(tmp_path, login)
    return login


# -- what is sent -----------------------------------------------------------------------------------------------------


def test_codexs_request_goes_on_as_it_came_with_the_users_own_token(tmp_path: Path, made: chatgpt_login.Login) -> None:
    """D55: client headers other than the session were dropped, and none of the backend's came back."""
    got = ask(tmp_path, WHOLE, headers={**CODEX, **NOT_ITS_BUSINESS})
    (request,) = got.seen
    assert request.line == "POST /v1/responses HTTP/1.1"
    assert request.body == json.dumps(codex_body(USER)).encode()
    assert request.headers["authorization"] == f"Bearer {made.access_token}"
    assert request.headers["chatgpt-account-id"] == "account-7"
    assert {name: request.headers.get(name) for name in CODEX} == CODEX
    expected = {
        *CODEX,
        "authorization",
        "chatgpt-account-id",
        "host",
        "accept",
        "accept-encoding",
        "content-type",
        "content-length",
    }
    assert set(request.headers) == expected
    assert got.answer.body == WHOLE.partition(b"\r\n\r\n")[2]


def test_another_client_is_not_passed_off_as_codex(tmp_path: Path, made: chatgpt_login.Login) -> None:
    headers = {"user-agent": "openai-python", "session-id": "s", "x-codex-turn-state": "T", "openai-beta": "x"}
    got = ask(tmp_path, WHOLE, body={"model": "gpt-5.5", "input": [USER], "max_output_tokens": 9}, headers=headers)
    (request,) = got.seen
    assert (request.headers["user-agent"], request.headers["x-codex-turn-state"]) == ("codex-shim", "T")
    assert not {"originator", "session-id", "openai-beta"} & request.headers.keys()
    told = json.loads(request.body)
    assert (told["stream"], told["store"], told["instructions"]) == (True, False, "")
    assert "max_output_tokens" not in told
    assert got.answer.json()["output"][0]["content"][0]["text"] == "Hi", "a client that asked for no stream gets one object"


def test_a_login_that_the_request_brought_is_the_one_that_is_sent(tmp_path: Path, made: chatgpt_login.Login) -> None:
    own = chatgpt_login.login("account-8")
    seal = sealed.seal(KEY, from_token(own.access_token, "account-8"))
    (request,) = ask(tmp_path, WHOLE, headers={**CODEX, "x-codex-shim-user": seal}).seen
    assert request.headers["authorization"] == f"Bearer {own.access_token}"
    assert request.headers["chatgpt-account-id"] == "account-8"
    assert not [name for name in request.headers if name.startswith("x-codex-shim")]


def test_without_a_usable_login_nothing_is_sent(tmp_path: Path) -> None:
    write_auth(tmp_path, chatgpt_login.login(seconds=-60))
    for path in ("/responses", "/responses/compact"):
        got = ask(tmp_path, path=path)
        assert (got.answer.status, got.answer.error["code"], got.seen) == (401, "login_refused", [])
        assert "has expired" in got.failure
        assert "`codex login`" in got.failure
        assert MARK not in got.answer.body.decode()


def test_a_redirect_gets_no_token(tmp_path: Path, made: chatgpt_login.Login) -> None:
    got = ask(tmp_path, plain("307 Temporary Redirect", "text/html", b"", "Location: https://elsewhere.test/"))
    assert (got.answer.status, len(got.seen)) == (502, 1)
    assert "models.json" not in got.failure


def test_an_alias_is_sent_and_answered_by_the_right_name_each(tmp_path: Path, made: chatgpt_login.Login) -> None:
    got = ask(tmp_path, WHOLE, body=codex_body(USER, model="openai-gpt-5-5"))
    assert json.loads(got.seen[0].body) == codex_body(USER)
    assert got.answer.events[-1]["response"]["model"] == "openai-gpt-5-5"


# -- what comes back --------------------------------------------------------------------------------------------------

TOLD = ("x-codex-primary-used-percent: 42", "x-codex-turn-state: T2", "x-models-etag: e1", "x-reasoning-included: true")
FAMILY = ("x-codex-other-primary-used-percent: 3", "x-gpt-secondary-reset-at: 5", "x-gpt-limit-name: g")


def test_an_event_goes_on_when_it_comes_and_the_backend_learns_who_has_left(tmp_path: Path, made: chatgpt_login.Login) -> None:
    """Also where what was asked could have been asked a second time."""
    begun = WHOLE[: WHOLE.index(b"event: response.output_item.done")]

    async def talk() -> bytes:
        client = HopClient()
        async with upstream(begun, silent=True) as backend, egress_of(backend.url, tmp_path) as url:
            raw = json.dumps(codex_body(THOUGHT, USER)).encode()
            async with client.open("POST", url + "/responses", CODEX, raw) as reply:
                shown = b""
                async for chunk in reply.chunks():
                    shown += chunk
                    if b"output_text.delta" in shown:
                        break
            await client.close()
            await asyncio.wait_for(backend.left.wait(), PATIENCE)
            return shown

    assert begun.endswith(asyncio.run(talk()))


def test_limits_and_turn_state_come_back_and_another_model_does_not(tmp_path: Path, made: chatgpt_login.Login) -> None:
    """D55."""
    lines = "\r\n".join([*TOLD, *FAMILY, "openai-model: gpt-5.5-2026", "set-cookie: c=1"]).encode()
    headers = ask(tmp_path, WHOLE.replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n\r\n", 1)).answer.headers
    assert {line: headers.get(line.partition(": ")[0]) for line in (*TOLD, *FAMILY)} == {
        line: line.partition(": ")[2] for line in (*TOLD, *FAMILY)
    }
    assert not {"openai-model", "set-cookie"} & headers.keys()


@pytest.mark.parametrize(("status", "sentence"), [("401 Unauthorized", "Unauthorized"), ("403 Forbidden", "Forbidden")])
def test_a_refused_token_is_told_with_the_way_to_a_new_one_and_without_itself(
    tmp_path: Path, made: chatgpt_login.Login, status: str, sentence: str
) -> None:
    got = ask(tmp_path, refuses(status, {"detail": f"{sentence}: {made.access_token}"}, *TOLD))
    assert got.failure == f"127.0.0.1: {sentence}: [REDACTED] (HTTP {status[:3]}; run `codex login`)"
    assert got.answer.headers["x-codex-turn-state"] == "T2"


def echoes(token: str) -> dict[str, bytes]:
    """Ways in which a backend, or a proxy before it, can repeat what it was sent."""
    quoted = json.dumps(token)
    limit = {"type": "usage_limit_reached", "message": token, "plan_type": token}
    failed = {"code": "x", "message": "no", "param": token, "seen": {"authorization": f"Bearer {token}"}}
    event = {"type": "response.failed", "sequence_number": 0, "response": {"id": "r", "error": failed}}
    return {
        "words that are cut off": plain("401 Unauthorized", "text/plain", f"{'x' * 200} Bearer {token}".encode()),
        "JSON with more behind it": plain("500 Error", "application/json", f'{{"detail":{quoted}}}{quoted}'.encode()),
        "every field": refuses("400 Bad Request", {"error": {"message": token, "code": token, "param": token}}),
        "the name of a plan": refuses("429 Too Many Requests", {"error": limit}),
        "a redirect": plain("307 Temporary Redirect", "text/html", b"", f"Location: https://elsewhere.test/{token}/x"),
        "no event": SSE + f"data: Bearer {token}\n\n".encode(),
        "an error event": SSE + f'data: {{"type":"error","error":{{"message":{quoted}}}}}\n\n'.encode(),
        "a failed response": SSE + f"data: {json.dumps(event)}\n\n".encode(),
        "no HTTP": f"{token}\r\n\r\n".encode(),
    }


@pytest.mark.parametrize("kind", echoes(""))
def test_no_part_of_a_token_is_repeated_whatever_the_backend_makes_of_it(
    tmp_path: Path, made: chatgpt_login.Login, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    got = ask(tmp_path, echoes(made.access_token)[kind])
    shown = f"{got.answer.body.decode()} {got.answer.headers} {capfd.readouterr().err}".lower()
    _, claims, signature = made.access_token.lower().split(".")
    assert claims[:16] not in shown
    assert signature[:16] not in shown


def test_a_plan_that_is_used_up_says_which_limit_and_until_when(tmp_path: Path, made: chatgpt_login.Login) -> None:
    error = {
        "type": "usage_limit_reached",
        "message": "The usage limit has been reached",
        "plan_type": "plus",
        "resets_at": 1_900_000_000,
    }
    used = ("x-codex-primary-used-percent: 100", "x-codex-primary-window-minutes: 300")
    got = ask(tmp_path, refuses("429 Too Many Requests", {"error": error}, *used))
    assert (got.answer.status, got.answer.error["code"], len(got.seen)) == (429, "usage_limit_reached", 1)
    assert "the usage limit of the ChatGPT Plus plan has been reached (5-hour limit); it resets in " in got.failure
    assert "at 2030-03-17 17:46 UTC" in got.failure
    assert int(got.answer.headers["retry-after"]) > 0
    assert got.answer.headers["x-codex-primary-used-percent"] == "100"


UNVERIFIED = {
    "error": {"message": "The encrypted content for item rs_1 could not be verified.", "code": "invalid_encrypted_content"}
}


def test_what_cannot_be_verified_is_left_out_once(
    tmp_path: Path, made: chatgpt_login.Login, capfd: pytest.CaptureFixture[str]
) -> None:
    body = codex_body(THOUGHT, USER)
    got = ask(tmp_path, refuses("400 Bad Request", UNVERIFIED), WHOLE, body=body)
    assert got.answer.events[-1]["type"] == "response.completed"
    first, second = (json.loads(request.body) for request in got.seen)
    assert first == body
    assert second == codex_body(USER)
    assert "all earlier reasoning was left out" in capfd.readouterr().err
    again = ask(tmp_path, *[refuses("400 Bad Request", UNVERIFIED)] * 2, body=body)
    assert (again.answer.status, len(again.seen)) == (400, 2)
    assert "could not be verified" in again.failure


def test_where_nothing_can_be_left_out_the_refusal_stays(tmp_path: Path, made: chatgpt_login.Login) -> None:
    got = ask(tmp_path, refuses("400 Bad Request", UNVERIFIED))
    assert (got.answer.status, got.answer.error["code"], len(got.seen)) == (400, "invalid_encrypted_content", 1)
    other = ask(tmp_path, refuses("400 Bad Request", {"detail": "Unsupported parameter: x"}), body=codex_body(THOUGHT, USER))
    assert (other.answer.status, len(other.seen)) == (400, 1)


# -- compaction -------------------------------------------------------------------------------------------------------


def test_a_trigger_goes_to_the_backend_and_its_compaction_comes_back(tmp_path: Path, made: chatgpt_login.Login) -> None:
    item = {"id": "cmp_1", "type": "compaction", "encrypted_content": "gAAAA"}
    answer = SSE + b"".join(step for step in response(lambda _: (item, [])).steps if isinstance(step, bytes))
    body = codex_body(USER, {"type": "compaction_trigger"})
    got = ask(tmp_path, answer, body=body)
    assert json.loads(got.seen[0].body) == body
    assert got.answer.events[-1]["response"]["output"] == [item]


COMPACTED = {"id": "resp_c", "object": "response.compaction", "output": [{"type": "compaction", "encrypted_content": "gAAAA"}]}


def test_the_endpoint_for_compaction_has_the_same_login_and_headers(tmp_path: Path, made: chatgpt_login.Login) -> None:
    body = {"model": "gpt-5.5", "input": [DEVELOPER, USER], "instructions": "You are Codex."}
    raw = json.dumps(COMPACTED).encode()
    got = ask(tmp_path, plain("200 OK", "application/json", raw, *TOLD), body=body, path="/responses/compact")
    (request,) = got.seen
    assert request.line == "POST /v1/responses/compact HTTP/1.1"
    assert request.body == json.dumps(body).encode()
    assert request.headers["authorization"] == f"Bearer {made.access_token}"
    assert {name: request.headers.get(name) for name in CODEX} == CODEX
    assert request.headers["accept"] == "application/json"
    assert (got.answer.status, got.answer.body, got.answer.headers["x-codex-turn-state"]) == (200, raw, "T2")


def test_a_summary_of_ours_is_told_the_backend_in_words(tmp_path: Path, made: chatgpt_login.Login) -> None:
    body = {
        "model": "openai-gpt-5-5",
        "input": [summary.item("So far so good.", "cmp_1"), THOUGHT, USER],
        "stream": True,
        "store": False,
    }
    answers = (refuses("400 Bad Request", UNVERIFIED), plain("200 OK", "application/json", json.dumps(COMPACTED).encode()))
    got = ask(tmp_path, *answers, body=body, path="/responses/compact", headers={})
    told = json.loads(got.seen[1].body)
    assert [item["role"] for item in told["input"]] == ["user", "user"]
    assert told["input"][0]["content"][0]["text"].endswith("So far so good.")
    assert {name for name in told if name != "input"} == {"model", "instructions"}
    assert (told["model"], got.answer.status) == ("gpt-5.5", 200)


def test_nonsense_in_place_of_a_compaction_is_a_failure(tmp_path: Path, made: chatgpt_login.Login) -> None:
    got = ask(tmp_path, plain("200 OK", "application/json", b"[]"), path="/responses/compact")
    assert got.answer.status == 502
    assert got.failure == "127.0.0.1: The provider sent something that is not part of an answer: []"
