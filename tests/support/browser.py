"""A headless Chromium, driven by its own driver over the WebDriver protocol, with nothing but the standard library.

Debian has both: `apt-get install chromium chromium-driver`. Where the driver is missing, tests are skipped; in CI they fail.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from installed_once import give_up
from waiting import PATIENCE, until

INSTALL = "apt-get install --no-install-recommends chromium chromium-driver"
FLAGS = (
    "--headless",
    "--no-sandbox",  # tests may run as root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--proxy-server=http://127.0.0.1:9",  # nowhere, but for loopback, which is never asked of a proxy
    "--force-device-scale-factor=1",
)
KEYS = {"tab": "\ue004", "enter": "\ue007", "space": " ", "down": "\ue015", "home": "\ue011", "end": "\ue010", "escape": "\ue00c"}

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # how the protocol names a reference to an element


def driver() -> str:
    """The program `chromedriver`."""
    folder = os.environ.get("CHROMEWEBDRIVER", "")  # where GitHub's machines have it
    found = shutil.which("chromedriver", path=os.pathsep.join([os.environ.get("PATH", os.defpath), folder]))
    if found is None:
        give_up(f"there is no chromedriver; try: {INSTALL}")
    return found


class Browser:
    """One window of one browser, with a profile of its own below `folder`. Close it."""

    def __init__(self, folder: Path) -> None:
        program = driver()
        log = folder / "chromedriver.log"
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / "tmp"  # for what the browser leaves behind where it is killed
        temporary.mkdir()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [program, "--port=0"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "HOME": str(folder), "TMPDIR": str(temporary)},
            )
        self._session = ""
        try:
            self._port = until(lambda: _port_in(log), "chromedriver tells its port", 2 * PATIENCE)
            self._session = self._begin(folder / "profile")["sessionId"]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        try:
            if self._session:
                self._call("DELETE", "")
        finally:
            self._process.terminate()
            self._process.wait(PATIENCE)

    def open(self, url: str) -> None:
        self._call("POST", "/url", {"url": url})

    def size(self, width: int, height: int) -> None:
        """Of the page, in CSS pixels: a window would not become narrower than 500."""
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def colours(self, scheme: str) -> None:
        """`light` or `dark`: what the user prefers."""
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of the DevTools."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function with this body returns; a promise is waited for."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def texts(self, selector: str) -> list[str]:
        """What is read in each element that can be seen."""
        script = "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).map(e => e.innerText.trim())"
        return self.run(script, selector)

    def text(self, selector: str) -> str:
        return "\n".join(self.texts(selector))

    def click(self, selector: str) -> None:
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        self._call("POST", f"/element/{found[_ELEMENT]}/click", {})

    def press(self, *keys: str) -> None:
        """Names of `KEYS`, or text to type."""
        strokes = [stroke for key in keys for stroke in (KEYS.get(key, key))]
        actions = [{"type": kind, "value": stroke} for stroke in strokes for kind in ("keyDown", "keyUp")]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def named(self, selector: str) -> tuple[str, str]:
        """The role and the name by which a screen reader announces the first such element."""
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})[_ELEMENT]
        role, name = (self._call("GET", f"/element/{found}/computed{what}") for what in ("role", "label"))
        return role, name

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """As `waiting.until`, with what the page shows where it does not come true."""
        try:
            return until(condition, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; the page shows:\n{self.text('body')}") from None

    def complaints(self) -> list[str]:
        """What the browser has written into its console since the last time: errors, and what the page's policy has forbidden."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """A screenshot: of the whole page, or of what is in the window."""
        shot = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _begin(self, profile: Path) -> Any:
        options: dict[str, Any] = {"args": [*FLAGS, f"--user-data-dir={profile}"]}
        if binary := shutil.which("chromium"):
            options["binary"] = binary
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        return self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return self._ask(method, f"/session/{self._session}{path}", body)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2 * PATIENCE)
        try:
            payload = json.dumps(body) if method == "POST" else None
            connection.request(method, path, payload, {"content-type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise AssertionError(f"{method} {path}: {value['error']}: {value.get('message')}")
        return value


def _port_in(log: Path) -> int:
    found = re.search(rb"successfully on port (\d+)", log.read_bytes())
    return int(found[1]) if found else 0
