"""The real Codex with the ChatGPT passthrough, toward a backend over TLS that checks what the real one checks.

What Codex 0.169.0 does with a login, as seen here and against the backend itself:

- A provider with `requires_openai_auth` and no token of its own gets the user's: `authorization`, `chatgpt-account-id`, and the
  provider's `http_headers` beside them, on `/responses` and on `GET /models`. The body is plain; it is zstd, and compaction an item
  of its own, where the provider's name is OpenAI. Then Codex also asks `chatgpt_base_url` which origin serves the workspace, and
  without an answer no turn begins.
- Without `model_catalog_json` it asks the provider for `/models`, and keeps the answer in `models_cache.json` with its `etag`, the
  client's version and a digest of who was asked: so what is in that file may well be this chain's own list.
- A token about to expire (within five minutes or so) is refreshed before the request. A 401 makes it refresh once and ask again;
  any other carrier of the same refusal does not.
- `x-codex-turn-state` is repeated within a turn, also with a `compaction_trigger`, but not where Codex asks for a summary in words.
- Limits are not told by `exec --json`, they are in the session's file, as `rate_limits` of `token_count`. A used-up plan (429) is
  told with its end, and not tried again.
- It warns of a reroute where any event, of whatever type, has `openai-model` among its `headers` or those of its `response`.
- With a token of the provider's own it refreshes `auth.json` all the same, when it starts and the login there is about to expire.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from chat_answers import call, calls, says
from chatgpt_backend import RESET_AT, ChatGptBackend, limit_reached
from chatgpt_login import MARK, Login, write_auth
from codex_cli import Codex, Turn
from png import PNG
from responses_answers import custom_call, function_call, message
from running_chain import RunningChain, bare_environment, write_files
from scripted_upstream import ScriptedUpstream
from waiting import until
from wiretap import Wiretap

SLUG = "gpt-5.5"
PAGE = Path(__file__).parents[2] / "docs" / "subscriptions.md"
CREATE = "*** Begin Patch\n*** Add File: notes/a.txt\n+one\n+two ✓\n*** End Patch\n"
EDIT = "*** Begin Patch\n*** Update File: notes/a.txt\n@@\n one\n-two ✓\n+zwei\n*** End Patch\n"
CODEX_ASKS = "CONTEXT CHECKPOINT COMPACTION"
# More than any window: Codex compacts before it goes on.
FULL = 2_000_000
NATIVE_COMPACTION = ("-c", 'model_providers.codex_shim.capabilities={remote_compaction="v2"}')


@pytest.fixture(scope="module")
def kept_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatGptBackend]:
    backend = ChatGptBackend(tmp_path_factory.mktemp("chatgpt"))
    yield backend
    backend.close()


@pytest.fixture
def backend(kept_backend: ChatGptBackend) -> ChatGptBackend:
    kept_backend.script()
    return kept_backend


@pytest.fixture(scope="module")
def login_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the chain looks for the login: it is not the home of the Codex that is run here."""
    return tmp_path_factory.mktemp("login")


@pytest.fixture(scope="module")
def subscribed(
    kept_backend: ChatGptBackend,
    login_folder: Path,
    shared_upstream: ScriptedUpstream,
    codex_environ: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningChain]:
    """A chain with a model of a provider, `large`, and a login of ChatGPT's."""
    folder = tmp_path_factory.mktemp("subscribed")
    text = (Path(__file__).parents[2] / "pipeline.toml").read_text("utf-8") + "\n" + kept_backend.table
    path = write_files(folder / "shim", [shared_upstream.model(slug="large")], text)
    environ = {**codex_environ, **kept_backend.environ, "CODEX_HOME": str(login_folder)}
    running = RunningChain(folder / "shim", bare_environment(folder / "user", environ), path)
    write_auth(login_folder, kept_backend.login())
    running.up()
    yield running
    running.down()


@pytest.fixture
def logged_in(subscribed: RunningChain, backend: ChatGptBackend, login_folder: Path) -> RunningChain:
    write_auth(login_folder, backend.login())
    until(lambda: in_catalog(subscribed), "ChatGPT's models are in the catalog")
    return subscribed


@pytest.fixture
def logged_out(subscribed: RunningChain, login_folder: Path) -> RunningChain:
    (login_folder / "auth.json").unlink(missing_ok=True)
    until(lambda: not in_catalog(subscribed), "ChatGPT's models have left the catalog")
    return subscribed


def in_catalog(chain: RunningChain) -> bool:
    return SLUG in (chain.home / "custom_model_catalog.json").read_text("utf-8")


class Session:
    """A thread of turns with ChatGPT, each of them a process of its own."""

    def __init__(self, codex: Codex, backend: ChatGptBackend) -> None:
        self._codex = codex
        self._backend = backend
        self._begun = False

    def turn(self, *flags: str, model: str = SLUG) -> Turn:
        """It ends well, the backend had nothing to object to, and nobody warned of another model."""
        resumed = ("resume", "--last") if self._begun else ()
        self._begun = True
        turn = self._codex.exec("Go on.", *resumed, "-m", model, *flags)
        assert turn.code == 0, (turn.events, turn.stderr, self._backend.refused)
        assert [item for item in turn.items("error") if "resuming with" not in item["message"]] == []
        assert (self._backend.refused, self._backend.faults) == ([], [])
        return turn


# -- with the login of auth.json --------------------------------------------------------------------------------------


def test_a_session_of_ten_turns_reaches_the_backend_as_codex_has_written_it(
    bare_codex: Codex, logged_in: RunningChain, backend: ChatGptBackend
) -> None:
    bare_codex.use(logged_in)
    (bare_codex.workspace / "img.png").write_bytes(PNG)
    session, sent = Session(bare_codex, backend), []
    say, think = backend.turn, backend.thinks
    with Wiretap(logged_in) as tap:
        at = ("-c", f"model_providers.codex_shim.base_url={json.dumps(tap.url)}")

        backend.script(say(think("Hm."), message("Hello", " there.")))
        assert session.turn(*at).text == "Hello there."
        sent += backend.asked

        backend.script(
            say(think("Look."), function_call("exec_command", {"cmd": "echo from-$((40+2)); exit 3"}, "call_cmd")),
            say(think("So."), message("It said 42.")),
        )
        (command,) = session.turn(*at).items("command_execution")
        assert (command["aggregated_output"], command["exit_code"]) == ("from-42\n", 3)
        sent += backend.asked

        backend.script(
            say(think("Write."), custom_call("apply_patch", CREATE, "call_new")),
            say(think("Edit."), custom_call("apply_patch", EDIT, "call_edit")),
            say(message("Written and edited.")),
        )
        changes = [change["kind"] for item in session.turn(*at).items("file_change") for change in item["changes"]]
        assert changes == ["add", "update"]
        assert (bare_codex.workspace / "notes/a.txt").read_text("utf-8") == "one\nzwei\n"
        sent += backend.asked

        backend.script(say(message("A red picture.")))
        assert session.turn(*at, "-i", "img.png").text == "A red picture."
        sent += backend.asked

        backend.script(say(function_call("view_image", {"path": "img.png"}, "call_look")), say(message("Still red.")))
        assert session.turn(*at).text == "Still red."
        sent += backend.asked

        both = [function_call("exec_command", {"cmd": f"echo {name}"}, f"call_{name}") for name in ("left", "right")]
        backend.script(say(think("Both."), message("Both at once."), *both), say(message("Both are done.")))
        outputs = [item["aggregated_output"] for item in session.turn(*at).items("command_execution")]
        assert sorted(outputs) == ["left\n", "right\n"]
        sent += backend.asked

        full = function_call("exec_command", {"cmd": "true"}, "call_full")
        backend.script(say(full, input_tokens=FULL), say(message("THE SUMMARY")), say(message("Where was I?")))
        assert session.turn(*at).text == "Where was I?"
        assert [CODEX_ASKS in request.text for request in backend.asked] == [False, True, False]
        sent += backend.asked

        full = function_call("exec_command", {"cmd": "true"}, "call_again")
        backend.script(say(think("Full."), full, input_tokens=FULL), say(message("Compacted.")))
        assert session.turn(*at, *NATIVE_COMPACTION).text == "Compacted."
        assert [request.body["input"][-1]["type"] for request in backend.asked][1] == "compaction_trigger"
        assert [item["type"] for item in backend.asked[2].body["input"]][-1] == "compaction"
        sent += backend.asked

        backend.script(say(function_call("exec_command", {"cmd": "cat notes/a.txt"}, "call_cat")), say(message("As I left it.")))
        assert session.turn(*at, *NATIVE_COMPACTION).text == "As I left it."
        sent += backend.asked

        backend.script(say(message("Goodbye.")))
        assert session.turn(*at, *NATIVE_COMPACTION).text == "Goodbye."
        sent += backend.asked

        assert [request.raw for request in sent] == tap.bodies("/v1/responses")
    assert {request.headers["originator"] for request in sent} == {"codex_exec"}
    assert not [request for request in sent if logged_in.token in json.dumps(request.headers)]
    assert limits_in(bare_codex) == [{"used_percent": 42.5, "window_minutes": 300, "resets_at": RESET_AT}]


def limits_in(codex: Codex) -> list[dict[str, float]]:
    """The different limits that Codex has noted of the shorter window."""
    lines = [line for path in codex.home.glob("sessions/**/*.jsonl") for line in path.read_text("utf-8").splitlines()]
    told = [json.loads(line)["payload"] for line in lines if '"rate_limits"' in line]
    found = [each["rate_limits"]["primary"] for each in told if each.get("rate_limits")]
    return [limits for place, limits in enumerate(found) if limits not in found[:place]]


def test_the_conversation_moves_to_a_provider_and_back(
    bare_codex: Codex, logged_in: RunningChain, backend: ChatGptBackend, upstream: ScriptedUpstream
) -> None:
    bare_codex.use(logged_in)
    session = Session(bare_codex, backend)
    upstream.script(says("The provider first."))
    session.turn(model="large")

    backend.script(
        backend.turn(backend.thinks("Mine."), function_call("exec_command", {"cmd": "echo theirs"}, "call_a")),
        backend.turn(message("ChatGPT now.")),
    )
    assert session.turn().text == "ChatGPT now."
    assert "The provider first." in backend.asked[0].text

    upstream.script(calls(call("exec_command", {"cmd": "echo ours"}, "call_b")), says("The provider again."))
    assert session.turn(model="large").text == "The provider again."
    assert "gAAAAA" not in upstream.requests[0].text, "what ChatGPT has sealed is for ChatGPT alone"
    assert "theirs" in upstream.requests[0].text

    backend.script(backend.turn(message("ChatGPT at last.")))
    assert session.turn().text == "ChatGPT at last."
    kinds = [item["type"] for item in backend.asked[0].body["input"]]
    assert kinds.count("reasoning") == 1, "its own thought, and none of the provider's"
    assert "ours" in backend.asked[0].text


def test_the_picker_shows_chatgpts_models_while_the_login_is_there(
    bare_codex: Codex, logged_in: RunningChain, login_folder: Path
) -> None:
    bare_codex.use(logged_in)
    shown = {model["slug"]: model["visibility"] for model in bare_codex.models()}
    assert shown["large"] == shown[SLUG] == "list"
    (login_folder / "auth.json").unlink()
    until(lambda: not in_catalog(logged_in), "the catalog follows the logout")
    assert [model["slug"] for model in bare_codex.models()] == ["large"]


def test_a_user_reads_what_to_do_and_codex_tries_no_more(
    bare_codex: Codex, logged_in: RunningChain, backend: ChatGptBackend, login_folder: Path
) -> None:
    bare_codex.use(logged_in)
    backend.script(limit_reached())
    limited = bare_codex.exec("hi", "-m", SLUG)
    assert "usage limit" in limited.failure
    assert "2030-03-17" in limited.failure or "Mar 17th, 2030" in limited.failure, "when it ends"
    write_auth(login_folder, backend.login(seconds=-5))
    expired = bare_codex.exec("hi", "-m", SLUG)
    assert "has expired" in expired.failure
    assert "`codex login`" in expired.failure
    assert len(backend.asked) == 1
    for turn in (limited, expired):
        assert (turn.code, turn.reconnects) == (1, [])
        assert MARK not in json.dumps(turn.events) + turn.stderr


# -- with the login that Codex sends itself ---------------------------------------------------------------------------


def log_in_codex(codex: Codex, chain: RunningChain, backend: ChatGptBackend, *, name: str = "codex-shim") -> Login:
    """A login in Codex's own home, and the configuration that docs/subscriptions.md shows for it."""
    shown = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    config = next(block for block in shown if "requires_openai_auth" in block)
    assert '"THE-TOKEN"' in config
    config = config.replace("http://127.0.0.1:8765/v1", chain.url).replace("THE-TOKEN", chain.token)
    codex.configure(config.replace('name = "codex-shim"', f'name = "{name}"'))
    codex.environ = {**backend.environ, "CODEX_REFRESH_TOKEN_URL_OVERRIDE": backend.refresh_url}
    made = backend.login("account-2")
    write_auth(codex.home, made)
    return made


def test_the_token_that_codex_sends_serves_and_no_file_of_the_chains_is_needed(
    bare_codex: Codex, logged_out: RunningChain, backend: ChatGptBackend
) -> None:
    made = log_in_codex(bare_codex, logged_out, backend)
    session = Session(bare_codex, backend)
    backend.script(
        backend.turn(backend.thinks("Write."), custom_call("apply_patch", CREATE, "call_new")), backend.turn(message("Done."))
    )
    assert session.turn().text == "Done."
    assert (bare_codex.workspace / "notes/a.txt").read_text("utf-8") == "one\ntwo ✓\n"
    for request in backend.asked:
        assert request.headers["authorization"] == f"Bearer {made.access_token}"
        assert request.headers["chatgpt-account-id"] == "account-2"
    assert backend.requests == backend.asked, "the chain itself answers which models there are"
    kept = json.loads((bare_codex.home / "models_cache.json").read_bytes())
    assert {"large", SLUG} <= {entry["slug"] for entry in kept["models"]}
    assert "codex-shim-" in kept["etag"], "by which the chain knows its own list when it looks for OpenAI's models"


def test_a_provider_named_openai_compresses_and_compacts_in_its_own_way(
    bare_codex: Codex, logged_out: RunningChain, backend: ChatGptBackend
) -> None:
    log_in_codex(bare_codex, logged_out, backend, name="OpenAI")
    session = Session(bare_codex, backend)
    full = function_call("exec_command", {"cmd": "true"}, "call_full")
    backend.script(backend.turn(full, input_tokens=FULL), backend.turn(message("Smaller.")))
    at = ("-c", f"chatgpt_base_url={json.dumps(backend.chatgpt_url)}")
    with Wiretap(logged_out) as tap:
        session_at = (*at, "-c", f"model_providers.codex_shim.base_url={json.dumps(tap.url)}")
        assert session.turn(*session_at).text == "Smaller."
        sent = [zstandard.ZstdDecompressor().decompressobj().decompress(body) for body in tap.bodies("/v1/responses")]
    assert [request.raw for request in backend.asked] == sent
    assert not [request for request in backend.asked if "content-encoding" in request.headers]
    kinds = [request.body["input"][-1]["type"] for request in backend.asked]
    assert kinds[1:] == ["compaction_trigger", "compaction"]


def test_a_token_that_is_refused_is_refreshed_by_codex(
    bare_codex: Codex, logged_out: RunningChain, backend: ChatGptBackend
) -> None:
    """Only a plain 401 makes it do that."""
    backend.withdraw(log_in_codex(bare_codex, logged_out, backend))
    backend.script(backend.turn(message("Refreshed.")))
    turn = bare_codex.exec("hi", "-m", SLUG)
    assert (turn.code, turn.text, turn.reconnects) == (0, "Refreshed.", [])


def test_a_model_that_speaks_in_code_goes_through_as_it_is(
    bare_codex: Codex, logged_in: RunningChain, backend: ChatGptBackend
) -> None:
    """The newer models get no list of tools: Codex offers them inside the input, and they answer with programs."""
    bare_codex.use(logged_in)
    program = "const done = await tools.exec_command({cmd: 'echo code'}); text(done.output ?? JSON.stringify(done));"
    backend.script(backend.turn(custom_call("exec", program, "call_code")), backend.turn(message("Run.")))
    assert Session(bare_codex, backend).turn(model="gpt-6.1-sol").text == "Run."
    first, second = (request.body for request in backend.asked)
    assert "additional_tools" in [item["type"] for item in first["input"]]
    assert second["input"][-1]["type"] == "custom_tool_call_output"
    assert "code" in json.dumps(second["input"][-1]["output"])
