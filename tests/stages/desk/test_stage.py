"""The desk behind ingress, with a scripted orchestrator: what the page may do, who may call, and what is said of nobody there."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import marked
import pytest
from codex_shim.orchestrator.control_server import ControlServer
from codex_shim.stages.desk.config import Config
from codex_shim.stages.desk.stage import Desk
from codex_shim.stages.kit.client import HopClient
from raw_http import Plain
from raw_upstream import ingress, serving
from systems import needs_modes

LOCAL = marked.key("local", prefix="")
PAGE_TOKEN = "abc123"
MODELS = [{"slug": "one", "display_name": "One", "provider": "p", "active": True}]
TOLD = {
    "ok": True,
    "url": "http://127.0.0.1:1/v1",
    "models": MODELS,
    "stages": [],
    "logins": {},
    "codex": {"model": "one", "own": False},
}
JSON = {"content-type": "application/json"}

Ask = Callable[..., Awaitable[Plain]]


class Orchestrator:
    """`asked` are the commands that came, without their tokens."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.switched: dict[str, Any] = {"ok": True, "model": "one", "next": "codex", "trouble": None}

    async def desk(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        self._note(request)
        yield TOLD

    async def switch(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        self._note(request)
        yield self.switched

    def _note(self, request: dict[str, Any]) -> None:
        self.asked.append({name: value for name, value in request.items() if name != "token"})


@asynccontextmanager
async def desk(folder: Path, orchestrator: Orchestrator) -> AsyncIterator[tuple[Ask, ControlServer]]:
    """A way to ask, and the orchestrator's ear."""
    told = folder / "desk.json"
    handlers = {"desk": orchestrator.desk, "switch": orchestrator.switch, "status": orchestrator.desk}
    control = ControlServer(folder / "control.json", handlers, {}, {told: ("desk", "switch")})
    await control.start()
    client = HopClient()
    try:
        async with (
            serving(Desk, Config(control=str(told), page_token=PAGE_TOKEN)) as behind,
            ingress("http://127.0.0.1:9", token=LOCAL, desk=behind.removesuffix("/v1"), page_token=PAGE_TOKEN) as url,
        ):
            origin = url.removesuffix("/v1")

            async def ask(method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Plain:
                own = {name: value.replace("ORIGIN", origin) for name, value in (headers or {}).items()}
                content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
                async with client.open(method, origin + path, own, content) as reply:
                    return Plain(reply.status, {name.lower(): value for name, value in reply.headers.items()}, await reply.read())

            yield ask, control
    finally:
        await client.close()
        control.stop()


def talk(folder: Path, work: Callable[[Ask], Awaitable[Any]], orchestrator: Orchestrator | None = None) -> Any:
    async def run() -> Any:
        async with desk(folder, orchestrator or Orchestrator()) as (ask, _):
            return await work(ask)

    return asyncio.run(run())


def test_the_page_may_load_its_own_files_and_nothing_else(tmp_path: Path) -> None:
    async def work(ask: Ask) -> None:
        page = await ask("GET", "/picker")
        policy = page.headers["content-security-policy"].split("; ")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} <= set(policy)
        assert not re.search(r"unsafe|https?:|\*|data:", " ".join(policy))
        text = page.body.decode()
        assert f'content="{PAGE_TOKEN}"' in text
        assert not re.search(r"<style|<script(?![^>]*src=)|\son\w+=|https?://", text), "nothing is written into the page"
        linked = set(re.findall(r'(?:src|href)="([^"]+)"', text))
        assert linked == {"/picker/picker.js", "/picker/picker.css", "/picker/icon.svg"}
        for path in linked:
            file = await ask("GET", path)
            assert (file.status, file.headers["x-content-type-options"], len(file.body) > 100) == (200, "nosniff", True), path
        for answer in (page, await ask("GET", "/api/models")):
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in answer.headers
        assert (await ask("GET", "/picker/../stage.py")).status == 404

    talk(tmp_path, work)


def test_programs_get_the_shapes_that_they_know(tmp_path: Path) -> None:
    async def work(ask: Ask) -> None:
        assert json.loads((await ask("GET", "/api/models")).body) == MODELS
        chain = json.loads((await ask("GET", "/api/chain")).body)
        assert chain == {name: TOLD[name] for name in ("url", "stages", "logins", "codex")}
        bearer = {"authorization": f"Bearer {LOCAL}", **JSON}
        done = await ask("POST", "/api/switch", bearer, {"slug": "one", "restart_codex": True})
        assert json.loads(done.body) == {"ok": True, "model": "one", "restarted": False, "next": "codex", "trouble": None}

    orchestrator = Orchestrator()
    talk(tmp_path, work, orchestrator)
    assert orchestrator.asked == [{"command": "desk"}, {"command": "desk"}, {"command": "switch", "slug": "one"}]


BY_PAGE = {"origin": "ORIGIN", "x-codex-shim-picker-token": PAGE_TOKEN, "sec-fetch-site": "same-origin", **JSON}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (BY_PAGE, 200),
        ({"authorization": f"Bearer {LOCAL}", **JSON}, 200),
        (BY_PAGE | {"x-codex-shim-picker-token": "of another run"}, 403),
        (BY_PAGE | {"sec-fetch-site": "cross-site"}, 403),
        (BY_PAGE | {"sec-fetch-site": "same-site"}, 403),
        (BY_PAGE | {"origin": "https://evil.example"}, 403),
        (BY_PAGE | {"origin": "http://localhost:3000"}, 403),
        (BY_PAGE | {"origin": "null"}, 403),
        (BY_PAGE | {"host": "evil.example"}, 403),
        (BY_PAGE | {"content-type": "text/plain"}, 415),
        ({"origin": "ORIGIN", **JSON}, 401),
        ({"x-codex-shim-picker-token": PAGE_TOKEN, **JSON}, 401),
        ({"authorization": "Bearer wrong", **JSON}, 401),
        (JSON, 401),
    ],
)
def test_a_switch_is_for_our_page_and_for_who_has_the_token(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    orchestrator = Orchestrator()
    done = talk(tmp_path, lambda ask: ask("POST", "/api/switch", headers, {"slug": "one"}), orchestrator)
    assert (done.status, len(orchestrator.asked)) == (status, 1 if status == 200 else 0), done.body


def test_what_is_refused_is_said_with_the_orchestrators_sentence(tmp_path: Path) -> None:
    orchestrator = Orchestrator()
    orchestrator.switched = {"ok": False, "error": "there is no model named `x`", "code": "model_not_found", "status": 404}

    async def work(ask: Ask) -> None:
        unknown = await ask("POST", "/api/switch", BY_PAGE, {"slug": "x"})
        error = json.loads(unknown.body)["error"]
        assert (unknown.status, error["message"], error["code"]) == (404, "there is no model named `x`", "model_not_found")
        for body in (b"{", {"slug": 1}, {}, []):
            assert (await ask("POST", "/api/switch", BY_PAGE, body)).status == 400
        long = await ask("POST", "/api/switch", BY_PAGE, {"slug": "x" * 70_000})
        assert (long.status, "larger than 64 KiB, " in json.loads(long.body)["error"]["message"]) == (413, True)
        for path in ("/api/switch", "/api/other", "/picker/"):
            assert (await ask("GET", path)).status in (404, 405), path
        assert (await ask("GET", "/api/models", {"host": "evil.example"})).status == 403

    talk(tmp_path, work, orchestrator)


def test_an_orchestrator_that_does_not_answer_is_named(tmp_path: Path) -> None:
    async def run() -> None:
        async with desk(tmp_path, Orchestrator()) as (ask, control):
            address = (tmp_path / "desk.json").read_bytes()
            control.stop()
            gone = await ask("GET", "/api/models")
            assert (gone.status, "codex-shim status" in gone.body.decode()) == (503, True)
            (tmp_path / "desk.json").write_bytes(address)
            assert (await ask("GET", "/picker")).status == 200, "the page itself needs nobody"
            assert (await ask("GET", "/api/models")).status == 503

    asyncio.run(run())


@needs_modes
def test_the_desks_token_is_good_for_its_questions_only(tmp_path: Path) -> None:
    async def asked(path: Path, command: str) -> dict[str, Any]:
        known = json.loads(path.read_bytes())
        reader, writer = await asyncio.open_connection("127.0.0.1", known["port"])
        writer.write(json.dumps({"token": known["token"], "command": command}).encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        return answer

    async def run() -> None:
        async with desk(tmp_path, Orchestrator()):
            ours, whole = tmp_path / "desk.json", tmp_path / "control.json"
            assert (ours.stat().st_mode & 0o777, set(json.loads(ours.read_bytes()))) == (0o600, {"port", "token"})
            assert await asked(ours, "status") == {"ok": False, "error": "this token is not good for `status`"}
            assert (await asked(ours, "desk"))["ok"]
            assert (await asked(whole, "status"))["ok"]
            assert "restart it" in (await asked(ours, "metrics"))["error"], "what the chain does not know yet"
        assert not ours.exists()

    asyncio.run(run())
