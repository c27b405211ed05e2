"""The files of the page, and the headers that keep it to itself."""

from __future__ import annotations

import html
from pathlib import Path

FOLDER = Path(__file__).parent / "page"
TYPES = {"picker.css": "text/css", "picker.js": "text/javascript", "icon.svg": "image/svg+xml"}
TOKEN_PLACE = b"{{page_token}}"

# No answer of the desk is read by another site, or taken for another kind of thing than it is.
HEADERS = {
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
# Our own three files and our own answers, nothing written into the page, nobody's frame, no text that becomes a script.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)


def load(token: str) -> dict[str, tuple[bytes, dict[str, str]]]:
    """The body and the headers of each path. Reads the disk."""
    page = (FOLDER / "picker.html").read_bytes().replace(TOKEN_PLACE, html.escape(token).encode())
    whole = {"content-type": "text/html; charset=utf-8", "content-security-policy": POLICY, "x-frame-options": "DENY"}
    whole["cross-origin-opener-policy"] = "same-origin"
    found = {"/picker": (page, HEADERS | whole)}
    for name, kind in TYPES.items():
        found[f"/picker/{name}"] = ((FOLDER / name).read_bytes(), HEADERS | {"content-type": f"{kind}; charset=utf-8"})
    return found
