"""The real Codex, led to the chain by `codex-shim enable` and back by `disable`, in both ways, with a ChatGPT login and without.

What Codex 0.169.0 does, as seen here:

- With `openai_base_url` its built-in provider tries a WebSocket first, in silence; with a login its bodies are zstd, and before the
  first turn it asks `chatgpt_base_url` which origin serves the workspace.
- Threads are listed by the provider that they were made with: those of the built-in one are out of sight while another is chosen.
- Desktop's picker and settings write into config.toml with `config/value/write`. The comments around stay.
- The address of a provider is in no file of a session.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
import warm_commands
import zstandard
from chat_answers import says
from chatgpt_backend import ChatGptBackend
from chatgpt_login import write_auth
from codex_cli import Codex
from running_chain import COMMAND_SECONDS, RunningChain
from scripted_upstream import ScriptedUpstream
from wiretap import Wiretap

THEIRS = '# mine\nmodel = "gpt-5.5"  # good\nmodel_reasoning_effort = "high"\n'
ORDER = ["large", "blind", "another"]
WAYS = pytest.mark.parametrize("flags", [(), ("--keep-threads",)], ids=["own provider", "keep threads"])


class Connecting:
    """A Codex home and the commands that lead it to the shared chain. `before` is its configuration as it was."""

    def __init__(self, codex: Codex, chain: RunningChain) -> None:
        self.codex = codex
        self.chain = chain
        self.path = codex.home / "config.toml"
        codex.configure(THEIRS)
        self.before = self.path.read_bytes()

    def shim(self, *words: str) -> subprocess.CompletedProcess[str]:
        environ = {**self.chain.environ, "CODEX_HOME": str(self.codex.home)}
        done = warm_commands.run(["--home", str(self.chain.home), *words], environ, self.chain.home, COMMAND_SECONDS)
        assert done.returncode == 0, done.stderr
        return done

    def configure(self, text: str) -> None:
        self.codex.configure(text)
        self.before = self.path.read_bytes()

    def listed(self) -> list[str]:
        """What Desktop's picker gets, in its order; the first is the default."""
        with self.codex.app_server() as server:
            data = server.ask("model/list", includeHidden=False)["data"]
        assert [each["isDefault"] for each in data] == [True, *[False] * (len(data) - 1)]
        return [each["model"] for each in data]

    def threads(self) -> list[str]:
        """The first words of each thread that Codex lists."""
        with self.codex.app_server() as server:
            return [thread["preview"] for thread in server.ask("thread/list", sourceKinds=["exec"])["data"]]

    def files_with(self, text: str) -> set[str]:
        """Files of the Codex home that hold a text."""
        files = (path for path in self.codex.home.rglob("*") if path.is_file())
        return {path.name for path in files if text.encode() in path.read_bytes()}


@pytest.fixture
def connecting(bare_codex: Codex, chain: RunningChain) -> Iterator[Connecting]:
    yield Connecting(bare_codex, chain)
    chain.cli("model", "use", "large")  # other tests share this chain


@pytest.fixture(scope="module")
def kept_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatGptBackend]:
    backend = ChatGptBackend(tmp_path_factory.mktemp("chatgpt"))
    yield backend
    backend.close()


@WAYS
def test_codex_lists_our_models_asks_the_chosen_one_and_is_put_back(
    connecting: Connecting, upstream: ScriptedUpstream, flags: tuple[str, ...]
) -> None:
    codex = connecting.codex
    connecting.shim("enable", *flags)
    assert [model["slug"] for model in codex.models()] == ORDER
    assert connecting.listed() == ORDER
    connecting.shim("model", "use", "another")
    upstream.script(says("ok"))
    turn = codex.exec("hi")
    assert (turn.code, turn.text, turn.reconnects) == (0, "ok", [])
    assert [request.body["model"] for request in upstream.requests] == ["vendor/another"]
    with codex.app_server() as server:  # as the picker does
        server.ask("config/value/write", keyPath="model", value="blind", mergeStrategy="replace")
    upstream.script(says("ok"))
    assert codex.exec("hi").code == 0
    assert upstream.requests[0].body["model"] == "vendor/blind"
    told = json.loads(connecting.shim("status", "--json").stdout)["codex"]
    assert (told["in_sync"], told["model"]) == (True, "blind")
    connecting.shim("disable")
    assert connecting.path.read_bytes() == connecting.before


@pytest.mark.parametrize(
    ("flags", "login"),
    [(("--keep-login",), True), (("--keep-threads",), True), (("--keep-threads",), False)],
    ids=["own provider with a login", "keep threads with a login", "keep threads without"],
)
def test_what_goes_over_the_wire_in_each_way(
    connecting: Connecting, upstream: ScriptedUpstream, kept_backend: ChatGptBackend, flags: tuple[str, ...], login: bool
) -> None:
    """A login is neither needed nor in the way, and never reaches a provider. The built-in provider brings the 426 and zstd."""
    codex, chain, threads = connecting.codex, connecting.chain, "--keep-threads" in flags
    kept_backend.script()
    connecting.configure(f"{THEIRS}chatgpt_base_url = {json.dumps(kept_backend.chatgpt_url)}\n")
    codex.environ = {**kept_backend.environ, "CODEX_REFRESH_TOKEN_URL_OVERRIDE": kept_backend.refresh_url}
    made = kept_backend.login()
    if login:
        write_auth(codex.home, made)
    connecting.shim("enable", *flags)
    upstream.script(says("ok"))
    with Wiretap(chain) as tap:
        turn = codex.exec("hi", "-c", _through(tap, chain, threads))
        assert (turn.code, turn.text, turn.reconnects) == (0, "ok", [])
        at = f"/key/{chain.token}/v1/responses" if threads else "/v1/responses"
        (body,) = filter(None, tap.bodies(at))
        assert any(head.endswith(f"{at} HTTP/1.1 upgrade") for head in tap.heads()) == threads
    assert body.startswith(zstandard.FRAME_HEADER) == (threads and login)
    (request,) = upstream.requests
    assert request.body["model"] == "vendor/large"
    assert made.access_token not in json.dumps(request.headers)
    assert "chatgpt-account-id" not in request.headers
    assert kept_backend.asked == []
    assert connecting.files_with(chain.token) == {"config.toml"}
    assert chain.token not in chain.all_logs()
    connecting.shim("disable")
    assert connecting.path.read_bytes() == connecting.before


def _through(tap: Wiretap, chain: RunningChain, threads: bool) -> str:
    if threads:
        return f"openai_base_url={json.dumps(tap.url.replace('/v1', f'/key/{chain.token}/v1'))}"
    return f"model_providers.codex_shim.base_url={json.dumps(tap.url)}"


def test_threads_of_the_built_in_provider_stay_listed_and_go_on_with_keep_threads(
    connecting: Connecting, upstream: ScriptedUpstream
) -> None:
    codex, chain = connecting.codex, connecting.chain
    upstream.script(says("the first answer"))
    elsewhere = json.dumps(chain.url.replace("/v1", f"/key/{chain.token}/v1"))
    assert codex.exec("from before", "-c", f"openai_base_url={elsewhere}", "-m", "large").code == 0
    assert connecting.threads() == ["from before"]
    connecting.shim("enable")
    assert connecting.threads() == []
    connecting.shim("enable", "--keep-threads")
    assert connecting.threads() == ["from before"]
    upstream.script(says("the second answer"))
    assert codex.exec("go on", "resume", "--last").text == "the second answer"
    said = [message.get("content") for message in upstream.requests[0].messages]
    assert "the first answer" in str(said)
    connecting.shim("disable")
    assert connecting.threads() == ["from before"]
    assert connecting.path.read_bytes() == connecting.before
