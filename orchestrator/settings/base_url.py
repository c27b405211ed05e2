"""A row's `base_url`: what is forgiven, and what is refused.

Rule of this file: a sentence never repeats the URL, since `${NAME}` may have put a credential into it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from codex_shim.stages.contract.handshake import is_loopback


class BaseUrlError(ValueError):
    """The message ends a sentence that begins with "`base_url`"."""


def read(written: str) -> str:
    """The URL that `/chat/completions` is put behind. One without any path gets the `/v1` that nearly all servers have."""
    try:
        parts = urlsplit(written.strip())
        parts.port  # noqa: B018  # raises where it is no number
    except ValueError:
        raise BaseUrlError("is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BaseUrlError("must begin with https:// (or http:// for a server on this machine)")
    if parts.username is not None or parts.password is not None:
        raise BaseUrlError("holds a user name or password; give the credential as `api_key_env` instead")
    if parts.query or parts.fragment:
        raise BaseUrlError("must end with its path: nothing can be put behind `?` or `#`")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise BaseUrlError("is plain http to another machine, which would show the key to the network; use https")
    return f"{parts.scheme}://{parts.netloc}{_path(parts.path)}"


def _path(written: str) -> str:
    path = written.rstrip("/")
    if path.endswith("/chat/completions"):
        return path.removesuffix("/chat/completions")  # written out, so that is where it is, `/v1` or not
    return path or "/v1"


def host(url: str) -> str:
    return urlsplit(url).hostname or ""


def is_local(url: str) -> bool:
    return is_loopback(host(url))
