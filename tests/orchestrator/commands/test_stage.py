"""`codex-shim stage …` as its users run it: list, check, new, run."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import process_tree
import pytest
from chat_answers import Answer, Wait, chunk, says
from codex_shim.orchestrator.cli import app
from codex_shim.stages.kit.conformance import backward, forward
from custom_stages import ALL, BRIEF, EXAMPLES, INGRESS, POLICY, REDACT, ROOT, ROUTER, node_environment, pipeline
from ports import free_port
from responses_client import ask, ask_all, text_of
from running_chain import RunningChain, StartChain, bare_environment, write_files
from scripted_upstream import ScriptedUpstream
from systems import needs_posix
from typer.testing import CliRunner
from waiting import PATIENCE, until
from warm_commands import CLI

PATIENT = "--patience=30"
PROGRAMS = Path(__file__).parents[2] / "support" / "programs"
Shim = Callable[..., RunningChain]


@pytest.fixture
def shim(tmp_path: Path) -> Shim:
    """`shim(pipeline=…)`: the commands for a home of which nothing runs."""

    def make(pipeline: str | None = None, environ: dict[str, str] | None = None) -> RunningChain:
        home = tmp_path / "home"
        return RunningChain(home, bare_environment(tmp_path / "user", environ), write_files(home, None, pipeline))

    return make


# What a stage makes of requests and answers; the rest is of its process and its server, for each kind of stage the same.
OF_MESSAGES = [check.name for check in (*forward.CHECKS, *backward.CHECKS)]


def environ_for(name: str) -> dict[str, str]:
    return node_environment() if name == "redact" else {}


def verdicts(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {check["check"]: check["verdict"] for check in json.loads(done.stdout)["checks"]}


def only(*checks: str) -> list[str]:
    return [f"--only={check}" for check in checks]


# -- list -------------------------------------------------------------------------------------------------------------


def test_list_shows_the_files_stages_in_order_when_nothing_runs(shim: Shim) -> None:
    done = shim(pipeline=pipeline(INGRESS, BRIEF, POLICY, ROUTER)).cli("stage", "list", "--json")
    listed = json.loads(done.stdout)
    assert listed["running"] is False
    assert [(row["name"], row["next"]) for row in listed["stages"]] == [
        ("ingress", "brief"),
        ("brief", "policy"),
        ("policy", "router"),
        ("router", "demo, chatgpt"),
        ("demo", None),
        ("chatgpt", None),
    ]
    assert {row["state"] for row in listed["stages"]} == {"not running"}


def test_list_tells_what_runs_and_what_the_running_chain_does_not_know_yet(lending: RunningChain) -> None:
    file = lending.home / "chain.toml"
    before = file.read_text()
    file.write_text(before.replace(ROUTER, 'name = "another"\nuse = "policy"\n\n[[stage]]\n' + ROUTER))
    try:
        rows = {row["name"]: row for row in json.loads(lending.cli("stage", "list", "--json").stdout)["stages"]}
        shown = lending.cli("stage", "list").stdout
    finally:
        file.write_text(before)
    assert rows["policy"]["state"] == "ready"
    assert rows["policy"]["pid"] == lending.pids["policy"]
    assert rows["another"]["state"] == "not in the running chain"
    assert re.search(r"^another +use policy", shown, re.M)


# -- check ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ingress", "policy", "router"])
def test_the_built_in_stages_keep_the_contract(shim: Shim, name: str) -> None:
    done = shim().cli("stage", "check", name, "--json", PATIENT)
    assert set(verdicts(done).values()) == {"pass"}


def test_an_egress_is_asked_what_needs_no_next_hop(shim: Shim) -> None:
    done = shim().cli("stage", "check", "demo", "--json", PATIENT)
    passed = {name for name, verdict in verdicts(done).items() if verdict == "pass"}
    assert passed == {"health", "models", "token", "lifeline"}
    assert "fail" not in verdicts(done).values()


@pytest.mark.parametrize("name", ALL)
def test_the_documented_stages_keep_the_contract(shim: Shim, name: str) -> None:
    """A script and a program are asked everything, as `policy` above, a typed one; others only what is their own."""
    checks = only(*OF_MESSAGES) if name in ("pseudonym", "thrift") else []
    done = shim(pipeline(INGRESS, ALL[name], ROUTER), environ_for(name)).cli("stage", "check", name, "--json", PATIENT, *checks)
    assert set(verdicts(done).values()) == {"pass"}


@pytest.mark.parametrize("file", ["brief.py", "redact.mjs"])
def test_a_file_is_checked_without_a_pipeline(shim: Shim, file: str) -> None:
    environ = node_environment() if file.endswith(".mjs") else {}
    done = shim(environ=environ).cli("stage", "check", str(EXAMPLES / file), PATIENT, *only("streaming", "headers"))
    assert re.search(r"^2 passed, 0 failed, 0 skipped in ", done.stdout, re.M)
    assert "✓ streaming " in done.stdout


def test_a_url_is_checked_with_our_next_hop_where_it_sends_to(shim: Shim) -> None:
    port, next_port = free_port(), free_port()
    handshake = {
        "CODEX_SHIM_STAGE": "outside",
        "CODEX_SHIM_LISTEN": f"127.0.0.1:{port}",
        "CODEX_SHIM_NEXT": f"http://127.0.0.1:{next_port}",
        "CODEX_SHIM_HOP_TOKEN": "a-token",
    }
    process = subprocess.Popen(
        ["node", str(EXAMPLES / "redact.mjs")], env=node_environment() | handshake, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        process.stderr.readline()  # it listens
        url = f"http://127.0.0.1:{port}/v1"
        ours = ("--next-port", str(next_port), "--token", "a-token", *only("streaming", "authorization", "drain", "lifeline"))
        done = shim().cli("stage", "check", url, "--json", PATIENT, *ours)
        assert {name for name, verdict in verdicts(done).items() if verdict != "pass"} == {"drain", "lifeline"}
        bare = shim().cli("stage", "check", url, "--json", *only("streaming"), check=False)
        told = {check["check"]: check["sentence"] for check in json.loads(bare.stdout)["checks"]}
        assert "--next-port" in told["streaming"]
    finally:
        process.communicate()


def test_a_stage_that_breaks_the_contract_fails_with_what_was_seen(shim: Shim, tmp_path: Path) -> None:
    script = tmp_path / "sorts.py"
    script.write_text("def request(body):\n    return {key: body[key] for key in sorted(body)}\n")
    done = shim().cli("stage", "check", str(script), PATIENT, *only("unknown-fields", "key-order", "streaming"), check=False)
    assert done.returncode == 1
    assert "✗ key-order" in done.stdout
    assert "expected the keys of the body in their order" in done.stdout
    assert "→ write keys in the order they were read in" in done.stdout
    assert "2 passed, 1 failed, 0 skipped" in done.stdout


def test_a_command_line_is_checked_and_reported_to_ci(shim: Shim, tmp_path: Path) -> None:
    """relay.py listens where its command line says, and asks for no token."""
    report = tmp_path / "report.xml"
    options = [f"--junit={report}", PATIENT, *only("streaming", "characters", "token")]
    command = [sys.executable, str(PROGRAMS / "relay.py"), "{port}", "{next}"]
    done = shim(environ={"PATH": os.environ["PATH"]}).cli("stage", "check", *options, "--", *command, check=False)
    assert done.returncode == 1
    assert "2 passed, 1 failed, 0 skipped" in done.stdout
    suite = ElementTree.fromstring(report.read_text())
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "0")
    (failed,) = suite.iterfind("testcase[failure]")
    assert failed.get("name") == "token"
    assert "expected 401" in failed[0].attrib["message"]
    missing = shim().cli("stage", "check", "--", "./nowhere", "--port={port}", check=False)
    assert "the program `./nowhere` cannot be executed" in missing.stderr


def test_a_stages_own_environment_reaches_it_and_no_command_line(shim: Shim, tmp_path: Path) -> None:
    script = tmp_path / "sees.py"
    script.write_text("import os\ndef request(body):\n    assert os.environ['WORD'] == 'sesame', 'no word'\n")
    table = f'name = "sees"\nscript = "{script}"\nenv = {{ WORD = "${{SECRET_WORD}}" }}'
    done = shim(pipeline(INGRESS, table, ROUTER), {"SECRET_WORD": "sesame"}).cli("stage", "check", "sees", "--only=headers")
    assert "1 passed, 0 failed" in done.stdout


def test_a_stage_works_in_the_folder_where_its_chain_would_run_it(shim: Shim, tmp_path: Path) -> None:
    commands = shim(pipeline(INGRESS, 'name = "mine"\ncommand = ["node", "stages/mine.mjs"]', ROUTER), node_environment())
    commands.cli("stage", "new", "mine", "--kind", "node")
    check = [*CLI, *commands._globals, "stage", "check", "mine", "--only=health"]
    done = subprocess.run(check, env=commands.environ, cwd=tmp_path, capture_output=True, text=True)
    assert "1 passed" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["polcy"], 1, "there is no stage named `polcy`; did you mean `policy`?"),
        (["nothing-like-it"], 1, "there is no stage named `nothing-like-it`; `codex-shim stage list` shows them"),
        (["./missing.py"], 1, "there is no file "),
        (["policy", "--next-port", "4000"], 2, "--next-port is for a URL"),
        (["policy", "--only", "speed"], 2, "there is no check `speed`"),
    ],
)
def test_what_cannot_be_checked_is_one_sentence(shim: Shim, arguments: list[str], code: int, sentence: str) -> None:
    done = shim().cli("stage", "check", *arguments, check=False)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_problems_of_the_files_are_78(shim: Shim) -> None:
    done = shim(pipeline=pipeline(POLICY, ROUTER)).cli("stage", "list", check=False)
    assert done.returncode == 78
    assert "has no ingress" in done.stderr


# -- new --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["script", "typed", "node"])
def test_a_new_stage_works_as_it_was_written(shim: Shim, kind: str) -> None:
    commands = shim(environ=node_environment() if kind == "node" else {})
    told = commands.cli("stage", "new", "my-own", "--kind", kind).stdout
    table = told[told.index("[[stage]]") : told.index("Then `codex-shim")]
    assert tomllib.loads(table)["stage"][0]["name"] == "my-own"
    (commands.home / "pipeline.toml").write_text(pipeline(INGRESS) + table + "\n" + pipeline(ROUTER))
    assert "1 passed, 0 failed" in commands.cli("pipeline", "test").stdout
    checks = only("health", "streaming", "unknown-fields", "key-order")
    assert set(verdicts(commands.cli("stage", "check", "my-own", "--json", PATIENT, *checks)).values()) == {"pass"}


def test_a_new_typed_stage_comes_with_tests_for_pytest_that_pass(shim: Shim, tmp_path: Path) -> None:
    shim().cli("stage", "new", "my-own", "--kind", "typed", "--into", str(tmp_path / "mine"))
    spec = importlib.util.spec_from_file_location("written_tests", tmp_path / "mine" / "my_stages" / "test_my_own.py")
    assert spec is not None and spec.loader is not None
    written = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(written)
    tests = [value for name, value in vars(written).items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()


def test_a_new_stage_overwrites_nothing(shim: Shim, tmp_path: Path) -> None:
    commands = shim()
    folder = tmp_path / "mine"
    commands.cli("stage", "new", "trim", "--into", str(folder))
    (folder / "trim.py").write_text("precious")
    again = commands.cli("stage", "new", "trim", "--into", str(folder), check=False)
    assert again.returncode == 1
    assert "exists already; it was left as it is" in again.stderr
    assert (folder / "trim.py").read_text() == "precious"


def test_a_name_that_cannot_be_is_refused(shim: Shim) -> None:
    done = shim().cli("stage", "new", "Trim It", check=False)
    assert done.returncode == 2
    assert "`Trim It` cannot be a name" in done.stderr


def test_the_starting_point_in_node_is_the_documented_example() -> None:
    starter = ROOT / "orchestrator" / "starters" / "node.mjs"
    assert starter.read_text() == (EXAMPLES / "redact.mjs").read_text()


# -- run --------------------------------------------------------------------------------------------------------------


class Run:
    """`codex-shim stage run` in a process group of its own, as a terminal would have it."""

    def __init__(self, chain: RunningChain, *arguments: str) -> None:
        command = [*CLI, *chain._globals, "stage", "run", *arguments]
        self.process = subprocess.Popen(
            command,
            env=chain.environ,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []

    def read_until(self, words: str) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"it ended without saying {words!r}: {self.lines}")

    def end(self) -> tuple[int, str]:
        assert self.process.stderr is not None
        self.lines += self.process.stderr.readlines()
        return self.process.wait(2 * PATIENCE), "".join(self.lines)


@contextmanager
def running(chain: RunningChain, *arguments: str) -> Iterator[Run]:
    run = Run(chain, *arguments)
    try:
        yield run
    finally:
        left = process_tree.family(run.process.pid)
        process_tree.kill(left)
        run.process.communicate()


def interrupt(run: Run) -> None:
    os.killpg(run.process.pid, signal.SIGINT)


@pytest.fixture(scope="module")
def lender(keep_chain: StartChain, kept_provider: ScriptedUpstream) -> RunningChain:
    return keep_chain([kept_provider.model()], pipeline(INGRESS, BRIEF, POLICY, REDACT, ROUTER), node_environment())


@pytest.fixture
def lending(lender: RunningChain) -> RunningChain:
    """A chain that lends its places to one test after the other, and has got back what it lent to the one before."""
    until(lambda: all(row["state"] in ("ready", "asleep") for row in lender.status()["stages"]), "the chain is whole")
    return lender


@needs_posix
@pytest.mark.parametrize("name", ["policy", "brief", "redact"])
def test_a_stage_takes_its_place_in_the_chain_and_gives_it_back(
    lending: RunningChain, provider: ScriptedUpstream, name: str
) -> None:
    chain = lending
    provider.script(lambda request: says("still ", "here"))
    before = chain.pids[name]
    with running(chain, name) as run:
        run.read_until("in its place in the chain")
        assert chain.stage(name)["state"] == "leased"
        assert text_of(ask_all(chain)) == "still here", "requests wait until the stage listens here"
        assert any(process.pid != run.process.pid for process in process_tree.family(run.process.pid))
        interrupt(run)
        code, said = run.end()
        assert code == 0
        assert "its place in the chain is given back" in said
    until(lambda: chain.stage(name)["state"] == "ready", "the chain runs the stage again")
    assert chain.pids[name] != before
    assert text_of(ask_all(chain)) == "still here"


@needs_posix
def test_the_stream_of_a_stage_run_by_hand_may_finish(lending: RunningChain, provider: ScriptedUpstream) -> None:
    chain, gate = lending, provider.gate()
    provider.script(Answer(chunk(content="first"), Wait(gate), *says(" second").steps))
    with running(chain, "policy") as run:
        run.read_until('"event":"ready"')
        with ask(chain) as answer:
            events = answer.events()
            next(event for event in events if event["type"] == "response.output_text.delta")
            interrupt(run)
            run.read_until('"event":"draining"')
            gate.open()
            assert text_of(list(events)) == " second"
        assert run.end()[0] == 0


def test_a_place_is_lent_once(lending: RunningChain) -> None:
    with running(lending, "policy") as run:
        run.read_until("in its place")
        second = lending.cli("stage", "run", "policy", check=False)
        assert second.returncode == 1
        assert "policy is being run by hand; end that first" in second.stderr


@needs_posix
def test_a_stage_whose_terminal_dies_is_replaced(lending: RunningChain, provider: ScriptedUpstream) -> None:
    """SIGKILL is what a closed terminal window may come to; the stage goes with it, so its address is free."""
    chain = lending
    with running(chain, "policy") as run:
        run.read_until('"event":"ready"')
        os.killpg(run.process.pid, signal.SIGKILL)
        until(lambda: chain.stage("policy")["state"] == "ready", "the chain runs the stage again")
    provider.script(says("ok"))
    assert text_of(ask_all(chain)) == "ok"


@needs_posix
def test_a_script_is_restarted_when_it_changes_and_what_streams_finishes(
    start_chain: StartChain, provider: ScriptedUpstream, tmp_path: Path
) -> None:
    """And when the command itself is killed, and nothing else, the chain has its place back all the same."""
    script = tmp_path / "own.py"
    script.write_text(SAYS.format(word="one"))
    chain = start_chain([provider.model()], pipeline(INGRESS, f'name = "own"\nscript = "{script}"', ROUTER))
    gate = provider.gate()
    provider.script(Answer(chunk(content="first"), Wait(gate), *says(" second").steps))
    with running(chain, "own") as run:
        run.read_until('"event":"ready"')
        with ask(chain) as answer:
            events = answer.events()
            next(event for event in events if event["type"] == "response.output_text.delta")
            script.write_text(SAYS.format(word="two"))
            run.read_until("It serves; what still streams finishes in the one before.")
            provider.script(says("whole"))
            assert text_of(ask_all(chain)) == "whole"
            assert said_last(provider) == "two"
            script.write_text("def request(body:")
            run.read_until("It did not come up; the one before goes on.")
            provider.script(says("whole"))
            assert text_of(ask_all(chain)) == "whole"
            assert said_last(provider) == "two"
            gate.open()
            assert text_of(list(events)) == " second"
        script.write_text(SAYS.format(word="three"))
        run.read_until("It serves;")
        run.process.kill()
        until(lambda: chain.stage("own")["state"] == "ready", "the chain runs the stage again")
    provider.script(says("whole"))
    assert text_of(ask_all(chain)) == "whole"


SAYS = """
def request(body):
    body["input"].append({{"type": "message", "role": "user", "content": [{{"type": "input_text", "text": "{word}"}}]}})
"""


def said_last(provider: ScriptedUpstream) -> str:
    """The last thing that the latest request says."""
    return provider.requests[-1].body["messages"][-1]["content"]


@needs_posix
def test_a_breakpoint_has_the_terminal(shim: Shim, tmp_path: Path) -> None:
    """Alone, before the demo model: the request waits at the breakpoint, and what is typed there goes to the debugger."""
    import pty

    script = tmp_path / "own.py"
    script.write_text('def request(body):\n    word = "before"\n    breakpoint()\n    body["metadata"] = {"word": word}\n')
    chain = shim(pipeline=pipeline(INGRESS, f'name = "own"\nscript = "{script}"', ROUTER))
    ours, theirs = pty.openpty()
    command = [*CLI, *chain._globals, "stage", "run", "own", "--next", "demo"]
    process = subprocess.Popen(command, env=chain.environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    terminal = Terminal(ours)
    try:
        url = re.search(r"http://127\.0\.0\.1:\d+/v1", terminal.read_until("runs alone at http://127.0.0.1:", "/v1"))
        terminal.read_until("ready")
        assert url is not None
        request = urllib.request.Request(
            f"{url[0]}/responses", b'{"model": "demo", "input": []}', {"content-type": "application/json"}
        )
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(lambda: json.load(urllib.request.urlopen(request, timeout=PATIENCE)))
            terminal.read_until("(Pdb)")
            terminal.type("p word")
            terminal.read_until("'before'", "(Pdb)")
            terminal.type("c")
            assert answer.result(PATIENCE)["status"] == "completed"
        os.killpg(process.pid, signal.SIGINT)
        terminal.read_until("Stopping")
        assert process.wait(2 * PATIENCE) == 0
    finally:
        process_tree.kill(process_tree.family(process.pid))
        process.wait()
        os.close(ours)


class Terminal:
    """What a person sees and types."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._unread = ""

    def read_until(self, *words: str) -> str:
        """Until all of them have come, one behind the other."""
        read = ""
        for word in words:
            while word not in self._unread:
                readable, _, _ = select.select([self._descriptor], [], [], PATIENCE)
                assert readable, f"{word!r} did not come: {read + self._unread!r}"
                self._unread += os.read(self._descriptor, 4096).decode("utf-8", "replace")
            place = self._unread.index(word) + len(word)
            read, self._unread = read + self._unread[:place], self._unread[place:]
        return read

    def type(self, line: str) -> None:
        os.write(self._descriptor, line.encode() + b"\n")


def test_a_stage_that_fails_here_gives_its_exit_code_and_one_that_runs_ends_with_the_chain(
    start_chain: StartChain, tmp_path: Path
) -> None:
    script = tmp_path / "own.py"
    script.write_text("def request(body): pass")
    chain = start_chain(pipeline=pipeline(INGRESS, f'name = "own"\nscript = "{script}"', ROUTER))
    script.write_text("def request(body:")
    done = chain.cli("stage", "run", "own", check=False)
    assert done.returncode == 78
    assert "SyntaxError" in done.stderr

    script.write_text("def request(body): pass")
    with running(chain, "own") as run:
        run.read_until('"event":"ready"')
        chain.cli("pipeline", "down")
        code, said = run.end()
        assert "The chain has stopped, and the stage with it." in said
        assert code == 0


@needs_posix
def test_without_a_chain_a_stage_runs_alone_and_sends_to_next(shim: Shim, start_chain: StartChain) -> None:
    commands = shim(pipeline=pipeline(INGRESS, BRIEF, ROUTER))
    with listening_once() as (port, heard), running(commands, "brief", "--next", f"http://127.0.0.1:{port}") as run:
        address = re.search(r"http://127\.0\.0\.1:(\d+)/v1", run.read_until("runs alone"))
        assert address is not None
        run.read_until('"event":"ready"')
        body = '{"input":[{"type":"message"}]}'
        with socket.create_connection(("127.0.0.1", int(address[1]))) as client:
            client.sendall(f"POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
            assert b"Answer briefly." in heard()
        interrupt(run)
        assert run.end()[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["polcy"], 1, "there is no stage named `polcy`; did you mean `policy`?"),
        (["policy", "--next", "ftp://x"], 2, "`ftp://x` is not the address of a next stage"),
        (["outside"], 1, "`outside` is an outside proxy: it runs already, wherever it was started"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(shim: Shim, arguments: list[str], code: int, sentence: str) -> None:
    outside = 'name = "outside"\nurl = "http://127.0.0.1:4000"'
    commands = shim(pipeline=pipeline(INGRESS, POLICY, outside, f'{ROUTER}\nlisten = "127.0.0.1:4001"'))
    done = commands.cli("stage", "run", *arguments, check=False)
    assert done.returncode == code
    assert sentence in done.stderr


def test_an_unknown_stage_of_a_running_chain_is_one_sentence(lending: RunningChain) -> None:
    done = lending.cli("stage", "run", "nobody", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no stage named `nobody`")


@pytest.mark.parametrize("command", ["list", "run", "check", "new"])
def test_each_command_has_an_example(command: str) -> None:
    done = CliRunner().invoke(app, ["stage", command, "--help"])
    assert f"Example: codex-shim stage {command}" in done.stdout


@contextmanager
def listening_once() -> Iterator[tuple[int, Callable[[], bytes]]]:
    """A next hop that only hears: its port, and what came."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)

        def heard() -> bytes:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(PATIENCE)
                data = b""
                while not data.endswith(b"}"):
                    data += connection.recv(65536)
                return data

        yield server.getsockname()[1], heard
