"""The documented proxies that nobody here wrote, ready to stand in a chain: nginx, mitmproxy, and one of Node.js.

Each is a `Placing`: given a name, it writes what the proxy needs into a folder and returns the tables of pipeline.toml.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from custom_stages import EXAMPLES
from installed_once import cache_folder, give_up, installed_once
from pip_programs import MITMPROXY
from ports import free_port

PROXIES = EXAMPLES / "proxies"
HTTP_PROXY = "http-proxy@1.18.1"

# The folder for files, the stage's name, the table of the stage behind it → both tables.
Placing = Callable[[Path, str, str], list[str]]


def nginx(folder: Path, name: str, behind: str) -> list[str]:
    """The only one that cannot be told its ports by arguments, so both are fixed."""
    program = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if program is None:
        give_up("nginx is missing; install it with `apt-get install nginx-light`")
    here, there = free_port(), free_port()
    text = (PROXIES / "nginx.conf").read_text().replace("4100", str(here)).replace("4101", str(there))
    file = folder / f"{name}.conf"
    file.write_text(text.replace("/tmp/codex-shim-nginx", str(folder / name)))
    table = _table(name, [program, "-e", "stderr", "-c", str(file), "-g", "daemon off;"])
    return [f'{table}\nlisten = "127.0.0.1:{here}"', f'{behind}\nlisten = "127.0.0.1:{there}"']


def mitmproxy(folder: Path, name: str, behind: str) -> list[str]:
    listen = ["--mode", "reverse:{next}", "--listen-host", "127.0.0.1", "--listen-port", "{port}"]
    options = ["--set", "keep_host_header=true", "--set", f"confdir={folder / name}"]
    command = [str(MITMPROXY.ensure()), "--quiet", *listen, *options, "-s", str(PROXIES / "passing.py")]
    return [_table(name, command), behind]


def node(folder: Path, name: str, behind: str) -> list[str]:
    """The proxy's file lies beside the package that it imports."""
    program = folder / "node" / "proxy.mjs"
    if not program.exists():
        shutil.copytree(ensure_http_proxy() / "node_modules", program.parent / "node_modules")
        shutil.copy(PROXIES / "proxy.mjs", program)
    return [_table(name, ["node", "--max-http-header-size=262144", str(program), "{port}", "{next}"]), behind]


ALL: dict[str, Placing] = {"nginx": nginx, "mitmproxy": mitmproxy, "node": node}


def ensure_http_proxy() -> Path:
    """A folder in which Node.js finds the package."""
    folder = cache_folder("CODEX_SHIM_TEST_HTTP_PROXY", HTTP_PROXY.replace("@", "-"))

    def install() -> None:
        npm = shutil.which("npm") or give_up("npm is missing; install it with Node.js")
        command = [npm, "install", HTTP_PROXY, "--prefix", str(folder), "--no-audit", "--no-fund"]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            give_up(f"{HTTP_PROXY} is not installed: npm failed: {done.stderr[-500:]}")

    installed_once(folder, HTTP_PROXY, 120, install)
    return folder


def _table(name: str, command: list[str]) -> str:
    return f"name = {json.dumps(name)}\ncommand = {json.dumps(command)}"
