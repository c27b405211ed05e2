"""Installs what tests need beside the project, before any of them waits for it: `python tests/support/install_programs.py`."""

from __future__ import annotations

import codex_install
import outside_proxies
from pip_programs import LITELLM, MITMPROXY

if __name__ == "__main__":
    codex_install.ensure()
    outside_proxies.ensure_http_proxy()
    LITELLM.ensure()
    MITMPROXY.ensure()
