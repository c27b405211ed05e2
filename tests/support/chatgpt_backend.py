"""A ChatGPT Codex backend over real TLS on loopback, as strict as the real one, that says what a test tells it to.

    backend = ChatGptBackend(tmp_path)
    write_auth(codex_home, backend.login())
    backend.script(backend.turn(backend.thinks("Hm."), message("Hello")))

It knows its logins, refuses what the service refuses (chatgpt_rules.py), and lets nobody alter what it has sealed. A chain trusts
it with `backend.environ`. Compaction, `/models` and refusals come by themselves; everything else takes the next of the script.
"""

from __future__ import annotations

import json
import secrets
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chatgpt_login
import trustme
from chat_answers import Answer, refuses
from chatgpt_login import Login
from chatgpt_rules import MODELS, Refusal, refuse_login, refuse_request, refuse_stream
from responses_answers import Item, reasoning, response
from scripted_upstream import ScriptedUpstream
from upstream_connection import Received

ROOT = "/backend-api"
PATH = f"{ROOT}/codex"
RESET_AT = 1_900_000_000
# What Codex is told of the limits; the names are those of the real headers.
LIMITS = {
    "x-codex-plan-type": "plus",
    "x-codex-primary-used-percent": "42.5",
    "x-codex-primary-window-minutes": "300",
    "x-codex-primary-reset-at": str(RESET_AT),
    "x-codex-secondary-used-percent": "7",
    "x-codex-secondary-window-minutes": "10080",
    "x-codex-secondary-reset-at": str(RESET_AT + 3600),
    "x-codex-credits-has-credits": "False",
    "x-codex-credits-unlimited": "False",
}
MODELS_ETAG = '"models-1"'
OTHER_MODEL = "gpt-5.5-2026-10-01"

Scripted = Answer | Callable[[Received], Answer]


class ChatGptBackend:
    """`requests` are all that came. `faults` are what a client did that the service bears, but should not have to."""

    def __init__(self, folder: Path, *, encrypted: bool = True) -> None:
        authority = trustme.CA()
        self._authority = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self._authority))
        self._upstream = ScriptedUpstream(PATH, _context(authority) if encrypted else None)
        self._upstream.script(self._answer)
        self._script: list[Scripted] = []
        self._tokens: set[str] = set()
        self._refreshable: dict[str, str] = {}
        self._sealed: dict[str, dict[str, Any]] = {}
        self._turn_states: dict[str, str] = {}
        self.faults: list[str] = []
        self.refused: list[Refusal] = []

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return self._upstream.url

    @property
    def table(self) -> str:
        """For pipeline.toml: the one way to lead a chain to another backend than the real one."""
        return f'[egress.chatgpt]\nbase_url = "{self.url}"\n'

    @property
    def chatgpt_url(self) -> str:
        """For Codex's own `chatgpt_base_url`: where a client that is named OpenAI asks which origin serves its workspace."""
        return self.url.removesuffix("/codex")

    @property
    def refresh_url(self) -> str:
        """For Codex's own `CODEX_REFRESH_TOKEN_URL_OVERRIDE`: where a refresh token is changed for new ones."""
        return f"{self.chatgpt_url}/oauth/token"

    @property
    def environ(self) -> dict[str, str]:
        """By which a process trusts the certificate of this backend."""
        return {"SSL_CERT_FILE": str(self._authority)}

    @property
    def requests(self) -> list[Received]:
        return self._upstream.requests

    @property
    def asked(self) -> list[Received]:
        """The requests for an answer of a model."""
        return [request for request in self.requests if request.path == f"{PATH}/responses"]

    def login(self, account_id: str = "account-1", *, seconds: float = 3600) -> Login:
        """A login that this service knows, for chatgpt_login.write_auth."""
        made = chatgpt_login.login(account_id, seconds=seconds)
        self._tokens.add(made.access_token)
        self._refreshable[made.refresh_token] = account_id
        return made

    def withdraw(self, made: Login) -> None:
        """Know nothing more of a token that still looks usable."""
        self._tokens.discard(made.access_token)

    def script(self, *answers: Scripted) -> None:
        """What to answer from now on, one answer per request for one. Forgets what has come so far."""
        self._script = list(answers)
        self.refused.clear()
        self._upstream.script(self._answer)

    def turn(self, *items: Item, input_tokens: int = 10) -> Answer:
        """One whole answer, with the limits told in an event as well."""
        answer = response(*items, input_tokens=input_tokens)
        return Answer(answer.steps[0], _limits_event(), *answer.steps[1:])

    def thinks(self, summary: str) -> Item:
        """A reasoning item whose blob nobody can alter or make."""
        blob = self._seal({"type": "reasoning", "summary": [{"type": "summary_text", "text": summary}]})
        return reasoning(summary, blob)

    def wait_for_request(self, number: int = 1) -> Received:
        return self._upstream.wait_for_request(number)

    def gate(self) -> Any:
        return self._upstream.gate()

    def close(self) -> None:
        """Raises where a client was at fault, or asked for an answer that nobody scripted."""
        self._upstream.close()
        assert not self.faults, self.faults

    # -- in the thread of the upstream --------------------------------------------------------------------------------

    def _answer(self, request: Received) -> Answer:
        if (request.method, request.path) == ("POST", f"{ROOT}/oauth/token"):
            return self._refresh(request.body["refresh_token"])
        refusal = refuse_login(request.headers, self._tokens.__contains__, time.time())
        if refusal is not None:
            return self._refuse(refusal)
        if (request.method, request.path) == ("GET", f"{ROOT}/wham/accounts/check"):
            return _json(self._workspaces(request), {})
        if (request.method, request.path) == ("GET", f"{ROOT}/wham/settings/user"):
            return _json({}, {})
        path = request.path.partition("?")[0].removeprefix(PATH)
        if (request.method, path) == ("GET", "/models"):
            return _json(models_answer(), {"etag": MODELS_ETAG})
        if request.method != "POST" or path not in ("/responses", "/responses/compact"):
            return self._refuse((404, {"detail": "Not Found"}))
        body = plain_body(request)
        refusal = refuse_request(body, self._has_sealed) or (refuse_stream(body) if path == "/responses" else None)
        if refusal is not None:
            return self._refuse(refusal)
        return self._compact() if path == "/responses/compact" else self._respond(request, body)

    def _respond(self, request: Received, body: dict[str, Any]) -> Answer:
        state = self._turn_state(request, body)
        if body["input"][-1]["type"] == "compaction_trigger":
            item = self._compaction()
            answer = self.turn(lambda _: (item, []))
        elif self._script:
            scripted = self._script.pop(0) if isinstance(self._script[0], Answer) else self._script[0]
            answer = scripted if isinstance(scripted, Answer) else scripted(request)
        else:
            self.faults.append(f"nobody scripted an answer to request {request.number}")
            return refuses(400, {"detail": self.faults[-1]})
        answer.headers |= {**LIMITS, "x-request-id": f"req_{request.number}"}
        if answer.status == 200:
            answer.headers |= {
                "x-codex-turn-state": state,
                "x-models-etag": MODELS_ETAG,
                "x-reasoning-included": "true",
                "openai-model": OTHER_MODEL,
            }
        return answer

    def _turn_state(self, request: Received, body: dict[str, Any]) -> str:
        """Given out with the first answer of a turn; every further request of this turn must show it. Codex does not where it asks
        for a summary in its own words."""
        told = body.get("client_metadata") or {}
        turn, kind = told.get("turn_id") or "", json.loads(told.get("x-codex-turn-metadata") or "{}").get("request_kind")
        shown = request.headers.get("x-codex-turn-state")
        known = self._turn_states.get(turn)
        if turn and shown != known and not (kind == "compaction" and shown is None):
            self.faults.append(f"request {request.number} shows the turn state {shown}, not {known}")
        if known is None:
            known = self._turn_states[turn] = f"turn-state-{len(self._turn_states) + 1}"
        return known

    def _refresh(self, token: str) -> Answer:
        """A refresh token serves once."""
        account = self._refreshable.pop(token, None)
        if account is None:
            self.faults.append("a refresh token was used a second time")
            return refuses(401, {"error": {"code": "refresh_token_reused", "message": "Please log out and sign in again."}})
        made = self.login(account)
        return _json({"id_token": made.id_token, "access_token": made.access_token, "refresh_token": made.refresh_token}, {})

    def _workspaces(self, request: Received) -> dict[str, Any]:
        origin = self.chatgpt_url.removesuffix(ROOT)
        routing = {"workspace_backend_origin": origin, "account_routing_override": "NO_CONSTRAINT"}
        return {"accounts": [{"id": request.headers["chatgpt-account-id"], "plan_type": "plus", **routing}]}

    def _compact(self) -> Answer:
        usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        about = {"id": "resp_compact", "object": "response.compaction", "created_at": 1}
        return _json({**about, "output": [self._compaction()], "usage": usage}, LIMITS)

    def _compaction(self) -> dict[str, Any]:
        return {"id": "cmp_theirs", "type": "compaction", "encrypted_content": self._seal({"type": "compaction"})}

    def _seal(self, shape: dict[str, Any]) -> str:
        blob = "gAAAAA" + secrets.token_urlsafe(24)
        self._sealed[blob] = shape
        return blob

    def _has_sealed(self, item: dict[str, Any]) -> bool:
        """Whether an item came from here and is as it was: its text, no status, and no content."""
        known = self._sealed.get(item.get("encrypted_content") or "")
        altered = "status" in item or item.get("content")
        return known is not None and not altered and all(item.get(name) == value for name, value in known.items())

    def _refuse(self, refusal: Refusal) -> Answer:
        self.refused.append(refusal)
        return refuses(*refusal, headers={"x-request-id": "req_refused"})


def plain_body(request: Received) -> dict[str, Any]:
    """The body of a request, which Codex compresses for this service."""
    if request.headers.get("content-encoding") != "zstd":
        return request.body
    import zstandard

    return json.loads(zstandard.ZstdDecompressor().decompressobj().decompress(request.raw))


def limit_reached(resets_at: int = RESET_AT) -> Answer:
    """What an account gets whose time is used up."""
    error = {"type": "usage_limit_reached", "message": "The usage limit has been reached", "plan_type": "plus"}
    return refuses(429, {"error": {**error, "resets_at": resets_at, "resets_in_seconds": 3600}})


def models_answer() -> dict[str, Any]:
    """The catalog of this service, in the shape Codex reads."""
    return {"models": [_model(slug, place) for place, slug in enumerate(MODELS)]}


def _model(slug: str, place: int) -> dict[str, Any]:
    return {
        "slug": slug,
        "display_name": slug,
        "description": "A model of the ChatGPT backend",
        "default_reasoning_level": "medium",
        "supported_reasoning_levels": [{"effort": "medium", "description": "Balanced"}],
        "shell_type": "unified_exec",
        "visibility": "hide" if slug == "codex-auto-review" else "list",
        "supported_in_api": True,
        "priority": place,
        "base_instructions": "You are Codex.",
        "support_verbosity": False,
        "apply_patch_tool_type": "freeform",
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "experimental_supported_tools": [],
        "context_window": 272_000,
        "supports_parallel_tool_calls": True,
    }


def _limits_event() -> bytes:
    def window(kind: str) -> dict[str, Any]:
        told = {name: LIMITS[f"x-codex-{kind}-{name}"] for name in ("used-percent", "window-minutes", "reset-at")}
        return {name.replace("-", "_"): json.loads(value) for name, value in told.items()}

    limits = {"allowed": True, "limit_reached": False, "primary": window("primary"), "secondary": window("secondary")}
    event = {"type": "codex.rate_limits", "plan_type": "plus", "rate_limits": limits, "credits": None}
    return f"event: codex.rate_limits\ndata: {json.dumps(event)}\n\n".encode()


def _json(value: dict[str, Any], headers: dict[str, str]) -> Answer:
    return Answer(json.dumps(value).encode(), headers={"content-type": "application/json", **headers})


def _context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context
