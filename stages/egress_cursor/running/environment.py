"""What a run is told: its arguments, which hold no content, and its environment, which holds no key. Pure.

The environment is an allow-list, since nobody can list all the names that hold secrets. Cursor's own keys and addresses are not in
it: they would change who pays, and where the conversation goes.
"""

from __future__ import annotations

from collections.abc import Mapping

RUN_ID = "CODEX_SHIM_RUN_ID"

_ALLOWED = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LANGUAGE",
        "TZ",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "NODE_EXTRA_CA_CERTS",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        # Where the login lies: it is shared with the user's own cursor-agent, and never copied.
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_CACHE_HOME",
        "XDG_RUNTIME_DIR",
        "DBUS_SESSION_BUS_ADDRESS",
        "AGENT_CLI_CREDENTIAL_STORE",
        # Windows programs do not start, or find no folder, without these.
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
        "COMSPEC",
        "PATHEXT",
        "USERPROFILE",
        "APPDATA",
        "LOCALAPPDATA",
        "PROGRAMDATA",
        "PROGRAMFILES",
        "PROGRAMFILES(X86)",
    }
)


def arguments(workspace: str, model: str) -> list[str]:
    """Behind the program's name. The prompt goes through standard input: arguments can be read by everybody, and are short.

    `--trust` lets it work in a folder it has not seen before, and permits no tool; there is no `--force`, which would permit all.
    """
    output = ["-p", "--output-format", "stream-json", "--stream-partial-output"]
    return [*output, "--trust", "--mode", "ask", "--workspace", workspace, "--model", model]


def of_run(environ: Mapping[str, str], *, config: str, data: str, temporary: str, run_id: str) -> dict[str, str]:
    """`config`, `data` and `temporary` are the folders of the slot. By `run_id` every process of the run can be recognised."""
    kept = {name: value for name, value in environ.items() if name.upper() in _ALLOWED or name.startswith("LC_")}
    return {
        **kept,
        "TERM": "dumb",
        "NO_COLOR": "1",
        "NO_OPEN_BROWSER": "1",
        "TMPDIR": temporary,
        "TEMP": temporary,
        "TMP": temporary,
        "CURSOR_CONFIG_DIR": config,
        "CURSOR_DATA_DIR": data,
        RUN_ID: run_id,
    }
