"""A `cursor-agent` that costs nothing: it behaves as the real one was seen to, and does what `scenario.json` beside it says.

It is made executable by fake_cursor_agent.py, and knows only the standard library. What it was given goes to `record.jsonl` beside
it. The steps of a run, each an object with one of these names (others are its options):

    say "text"          deltas, and later the snapshot of the segment; `{nonce}` is the one of the prompt; "cut": bytes per write
    think "text"        thinking, as deltas
    tool "shell"        a tool of its own: "outcome" success, rejected or open (never completed); "args"
    event {…}           any event; line "…" / bytes "hex" / long 2000000: what is no event, and long lines of text
    result {…}          the result, with what is given in place of the usual; "is_error" and so on
    stderr "…"          words on standard error
    exit 1              end with this code, without flushing manners; kill "SIGSEGV": end by a signal
    hang                for ever
    ignore ["SIGTERM"]  from here on
    touch/await "name"  a file beside the program: make it, or wait until it is there
    fork {…}            a child that stays: "setsid", "ignore", "hold" (keeps the pipes), "scrub" (no environment), "busy"
    hog 200             MiB of memory
    close "stdout"      close a pipe and go on
    noise 100000        bytes on standard error; trouble "limit": one of TROUBLES
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time

TYPE_CHECKING = False  # a quick start is worth more here than in the programs it stands for
if TYPE_CHECKING:
    from typing import Any

OPTIONS_WITH_VALUE = {"--output-format", "--model", "--mode", "--workspace", "--sandbox", "--resume", "--api-key", "--add-dir"}
OPTIONS = {"-p", "--print", "--stream-partial-output", "--trust", "-f", "--force", "--yolo", "--plan", "--approve-mcps"}
MODELS = ["auto", "composer-2.5", "composer-2.5-fast", "gpt-5.5"]
LOGIN_NEEDED = (
    "Error: Authentication required. Please run 'agent login' first, or set CURSOR_API_KEY environment variable.\n"  # its words
)
TRUST_NEEDED = (
    "\n⚠ Workspace Trust Required\n\nCursor Agent can execute code and access files in this directory.\n\n"
    "Do you trust the contents of this directory?\n\nPass --trust, --yolo, or -f\n"
)
TROUBLES = {
    "login": LOGIN_NEEDED,
    "token": "Authentication failed: your Cursor credentials or API key are invalid or expired. Please log in again.\n",
    "keychain": "Error: Your macOS login keychain is locked.\nRun `security unlock-keychain` and try again.\n",
    "limit": "Error: You've hit your usage limit. Get Cursor Pro for more. Your usage limits will reset on 12/31/2026.\n",
    "capacity": "RetriableError: [resource_exhausted] Error\n",
    "unavailable": "ConnectError: [unavailable] read ECONNRESET\n",
    "race": "Error: ENOENT: no such file or directory, rename '/x/cli-config.json.tmp' -> '/x/cli-config.json'\n",
}


HERE = ""  # the folder of the program that was started


class Scenario:
    def __init__(self) -> None:
        with open(os.path.join(HERE, "scenario.json"), encoding="utf-8") as file:
            self.facts: dict[str, Any] = json.load(file)

    def steps(self, prompt: str | None) -> list[dict[str, Any]]:
        """Of the first matching `by_prompt`, else of this invocation in `runs`, else `run`."""
        for words, steps in self.facts.get("by_prompt", []):
            if prompt is not None and words in prompt:
                return steps
        runs = self.facts.get("runs", [])
        for number, steps in enumerate(runs):
            try:
                os.close(os.open(os.path.join(HERE, f"run-{number}"), os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            return steps
        return self.facts.get("run", [{"say": "Hello from Composer."}, {"result": {}}])


def note(**facts: object) -> None:
    """One line for the test, in one write: many of us may run at a time."""
    descriptor = os.open(os.path.join(HERE, "record.jsonl"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, json.dumps({"pid": os.getpid(), **facts}).encode() + b"\n")
    os.close(descriptor)


def await_file(name: str) -> None:
    while not os.path.exists(os.path.join(HERE, name)):
        time.sleep(0.005)


def out(data: bytes, cut: int = 0) -> None:
    """All of it, whoever reads slowly; in pieces of `cut` bytes where asked."""
    view = memoryview(data)
    while view:
        view = view[os.write(1, view[:cut] if cut else view) :]


class Run:
    """One `-p` run."""

    def __init__(self, options: dict[str, Any], scenario: Scenario) -> None:
        self.options = options
        self.session = os.urandom(8).hex()
        self.segments: list[str] = []
        self.segment: list[str] = []
        self.calls = 0
        self.scenario = scenario
        self.nonce = ""
        self.clock = 1_760_000_000_000

    def begin(self) -> None:
        note(what="started", argv=sys.argv[1:], env=dict(os.environ), cwd=os.getcwd(), limits=_limits())
        self.write_model()
        for step in self.scenario.facts.get("before_stdin", []):
            self.play(step)
        prompt = sys.stdin.buffer.read().decode("utf-8", "replace")
        note(what="prompt", prompt=prompt)
        found = re.search(r"<call-([0-9A-Za-z]+)", prompt)
        self.nonce = found[1] if found else ""
        self.keep(prompt)
        if self.scenario.facts.get("init", True):
            self.emit(
                {
                    "type": "system",
                    "subtype": "init",
                    "apiKeySource": "env" if os.environ.get("CURSOR_API_KEY") else "login",
                    "cwd": os.getcwd(),
                    "model": "Composer 2.5",
                    "permissionMode": "default",
                    **self.scenario.facts.get("init_event", {}),
                }
            )
            self.emit({"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": prompt}]}})
        for step in self.scenario.steps(prompt):
            self.play(step)

    def play(self, step: dict[str, Any]) -> None:
        for name, value in step.items():
            action = getattr(self, "do_" + name, None)
            if action is not None:
                action(value, step)

    def emit(self, event: dict[str, Any], *, stamped: bool = False, cut: int = 0) -> None:
        event = {**event, "session_id": self.session}
        if stamped:
            self.clock += 7
            event["timestamp_ms"] = self.clock
        out(json.dumps(event, ensure_ascii=False).encode() + b"\n", cut)

    def write_model(self) -> None:
        """It writes the chosen model into its settings, through a temporary file that has always the same name."""
        folder = os.environ.get("CURSOR_CONFIG_DIR") or os.path.join(os.environ["HOME"], ".cursor")
        path = os.path.join(folder, "cli-config.json")
        try:
            with open(path, encoding="utf-8") as file:
                settings = json.load(file)
        except OSError:
            settings = {}
        note(what="settings", settings=settings)
        os.makedirs(folder, exist_ok=True)
        with open(path + ".tmp", "w", encoding="utf-8") as file:
            json.dump({**settings, "model": self.options.get("--model"), "hasChangedDefaultModel": True}, file)
        os.rename(path + ".tmp", path)

    def keep(self, prompt: str) -> None:
        """It keeps conversations on the disk."""
        folder = os.environ.get("CURSOR_DATA_DIR") or os.path.join(os.environ["HOME"], ".cursor")
        chat = os.path.join(folder, "chats", self.session)
        os.makedirs(chat)
        with open(os.path.join(chat, "store.db"), "w", encoding="utf-8") as file:
            file.write(prompt)
        with open(os.path.join(os.environ.get("TMPDIR", "/tmp"), f"cursor-{self.session}"), "w", encoding="utf-8") as file:
            file.write(prompt)

    def assistant(self, text: str, *, stamped: bool, call: bool = False, cut: int = 0) -> None:
        event: dict[str, Any] = {"type": "assistant", "message": {"role": "assistant", "content": [{"type": "text", "text": text}]}}
        if call:
            event["model_call_id"] = f"model-call-{self.calls}"
        self.emit(event, stamped=stamped, cut=cut)

    def close_segment(self, *, before_tool: bool) -> None:
        """With partial output each segment comes once more, whole; without, this is the only time."""
        text = "".join(self.segment)
        if text:
            self.assistant(text, stamped=before_tool, call=before_tool)
            self.segments.append(text)
        self.segment = []

    def do_say(self, text: str, step: dict[str, Any]) -> None:
        text = text.replace("{nonce}", self.nonce)
        self.segment.append(text)
        if "--stream-partial-output" in self.options:
            for piece in re.findall(r"\s*\S+\s*|\s+", text):
                self.assistant(piece, stamped=True, cut=step.get("cut", 0))

    def do_think(self, text: str, step: dict[str, Any]) -> None:
        for piece in re.findall(r"\s*\S+\s*", text):
            self.emit({"type": "thinking", "subtype": "delta", "text": piece}, stamped=True)
        self.emit({"type": "thinking", "subtype": "completed"}, stamped=True)

    def do_tool(self, name: str, step: dict[str, Any]) -> None:
        self.calls += 1
        self.close_segment(before_tool=True)
        call_id = f"call-{self.calls}\nfc_{self.calls}"
        common = {"type": "tool_call", "call_id": call_id, "model_call_id": f"model-call-{self.calls}"}
        args = {"args": step.get("args", {"path": "a.txt"})}
        self.emit({**common, "subtype": "started", "tool_call": {f"{name}ToolCall": args}}, stamped=True)
        outcome = step.get("outcome", "success")
        if outcome == "open":
            return
        result = {"success": {"content": "…"}} if outcome == "success" else {"rejected": {"reason": "User rejected"}}
        done = {f"{name}ToolCall": {**(args if outcome == "success" else {}), "result": result}}
        self.emit({**common, "subtype": "completed", "tool_call": done}, stamped=True)

    def do_event(self, event: dict[str, Any], step: dict[str, Any]) -> None:
        self.emit(event)

    def do_line(self, line: str, step: dict[str, Any]) -> None:
        out(line.encode() + b"\n")

    def do_bytes(self, hexadecimal: str, step: dict[str, Any]) -> None:
        out(bytes.fromhex(hexadecimal))

    def do_long(self, size: int, step: dict[str, Any]) -> None:
        """A line of garbage, or with "event" an event of its own that is this long."""
        out(json.dumps({"type": "whatever", "filler": "x" * size}).encode() + b"\n")

    def do_result(self, changes: dict[str, Any], step: dict[str, Any]) -> None:
        self.close_segment(before_tool=False)
        usage = {"inputTokens": 12, "outputTokens": 7, "cacheReadTokens": 100, "cacheWriteTokens": 5}
        self.emit(
            {
                "type": "result",
                "subtype": "success",
                "duration_ms": 5,
                "duration_api_ms": 5,
                "is_error": False,
                "result": "".join(self.segments),
                "request_id": os.urandom(8).hex(),
                "usage": usage,
                **changes,
            }
        )

    def do_trouble(self, name: str, step: dict[str, Any]) -> None:
        if name == "capacity":
            for attempt in (1, 2, 3):
                self.emit({"type": "connection", "subtype": "reconnecting", "attempt": attempt})
                self.emit({"type": "retry", "subtype": "starting", "attempt": attempt, "is_resume": False})
        os.write(2, TROUBLES[name].encode())
        os._exit(1)

    def do_stderr(self, text: str, step: dict[str, Any]) -> None:
        os.write(2, text.encode())

    def do_noise(self, size: int, step: dict[str, Any]) -> None:
        """Much on standard error."""
        view = memoryview(b"x" * 99 + b"\n")
        for _ in range(size // 100):
            os.write(2, view)

    def do_exit(self, code: int, step: dict[str, Any]) -> None:
        os._exit(code)

    def do_kill(self, name: str, step: dict[str, Any]) -> None:
        os.kill(os.getpid(), getattr(signal, name))

    def do_hang(self, seconds: object, step: dict[str, Any]) -> None:
        note(what="hanging")
        while True:
            time.sleep(60)

    def do_ignore(self, names: list[str], step: dict[str, Any]) -> None:
        for name in names:
            signal.signal(getattr(signal, name), signal.SIG_IGN)

    def do_touch(self, name: str, step: dict[str, Any]) -> None:
        os.close(os.open(os.path.join(HERE, name), os.O_CREAT | os.O_WRONLY))

    def do_await(self, name: str, step: dict[str, Any]) -> None:
        await_file(name)

    def do_close(self, name: str, step: dict[str, Any]) -> None:
        os.close({"stdout": 1, "stderr": 2}[name])

    def do_hog(self, mib: int, step: dict[str, Any]) -> None:
        self.hogged = b"x" * (mib << 20)

    def do_fork(self, how: dict[str, Any], step: dict[str, Any]) -> None:
        """A helper that stays when its parent ends, as the real one's worker server does, and worse."""
        ready, told = os.pipe()
        if os.fork():
            os.close(told)
            os.read(ready, 1)
            os.close(ready)
            return
        if how.get("setsid"):
            os.setsid()
        for name in how.get("ignore", []):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        if not how.get("hold"):
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nothing, descriptor)
        note(what="forked")
        if how.get("scrub"):
            code = f"import os,signal,time;[signal.signal(getattr(signal,n),signal.SIG_IGN) for n in {how.get('ignore', [])!r}]"
            os.set_inheritable(told, True)
            code += f";os.write({told},b'x');time.sleep(3600)"
            os.execve(sys.executable, [sys.executable, "-IS", "-c", code], {})
        os.write(told, b"x")
        while True:
            if not how.get("busy"):
                time.sleep(60)


def _limits() -> dict[str, Any]:
    import resource

    names = ("RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CPU")
    found: dict[str, Any] = {name: resource.getrlimit(getattr(resource, name))[0] for name in names}
    try:
        with open("/proc/self/oom_score_adj") as file:
            found["oom_score_adj"] = int(file.read())
    except OSError:
        pass
    return {**found, "nice": os.nice(0)}


def read_options(words: list[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    words = list(words)
    while words:
        word = words.pop(0)
        if word in OPTIONS_WITH_VALUE:
            options[word] = words.pop(0)
        elif word in OPTIONS:
            options[word] = True
        elif word.startswith("-"):
            refuse(f"error: unknown option '{word}'\n")
        else:
            options.setdefault("words", []).append(word)
    return options


def refuse(text: str) -> None:
    os.write(2, text.encode())
    sys.exit(1)


def status(words: list[str], facts: dict[str, Any]) -> None:
    """Exit code 0 also when logged out, as the real one."""
    note(what="status", argv=words, env=dict(os.environ))
    if "--format" in words and facts.get("old"):
        refuse("error: unknown option '--format'\n")
    if seconds := facts.get("seconds"):
        time.sleep(seconds)
    if gate := facts.get("await"):
        await_file(gate)
    if facts.get("keychain") == "status":
        refuse(TROUBLES["keychain"])
    inside = facts.get("logged_in", True)
    if "json" in words:
        answer: dict[str, Any] = {"status": "authenticated" if inside else "unauthenticated", "isAuthenticated": inside}
        answer |= {"hasAccessToken": inside, "hasRefreshToken": inside}
        answer |= {"userInfo": {"email": "somebody@example.test", "userId": 1}} if inside else {"message": "Not logged in"}
        print(json.dumps(answer))
    else:
        print("\n ✓ Logged in as somebody@example.test\n" if inside else "\n Not logged in\n")


def models(facts: dict[str, Any]) -> None:
    lines = [f"{name} - {name.title()}" + (" (current)" if name == "auto" else "") for name in facts.get("models", MODELS)]
    print("\n".join(["Available models", "", *lines, "", "Tip: use --model <id> to switch."]))


def main(folder: str) -> None:
    global HERE
    HERE = folder
    scenario = Scenario()
    words = sys.argv[1:]
    if words[:1] == ["status"]:
        return status(words, scenario.facts.get("status", {}))
    if words[:1] == ["models"] or "--list-models" in words:
        return models(scenario.facts)
    if "--help" in words:
        print("Usage: agent [options] [command] [prompt...]\n\nOptions:")
        return print("\n".join(f"  {name}" for name in sorted(OPTIONS | OPTIONS_WITH_VALUE)))
    options = read_options(words)
    facts = scenario.facts
    if "login" in options.get("words", []) or "logout" in options.get("words", []):
        return print("done")
    if not facts.get("status", {}).get("logged_in", True) and not os.environ.get("CURSOR_API_KEY"):
        refuse(LOGIN_NEEDED)
    if facts.get("status", {}).get("keychain") == "run":
        refuse(TROUBLES["keychain"])
    if not {"--trust", "-f", "--force", "--yolo"} & options.keys():
        refuse(TRUST_NEEDED)
    if options.get("--model", "auto") not in facts.get("models", MODELS):
        refuse(f"Cannot use this model: {options['--model']}. Available models: {', '.join(facts.get('models', MODELS))}\n")
    return Run(options, scenario).begin()
