"""Who may talk to ingress. Pure: headers in, a refusal or nothing out.

The chain spends the user's keys, so a web page the user visits must not reach it: the Host check stops DNS rebinding, the Origin
check and the JSON content type stop plain cross-site requests, and the token stops everything that was not told it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ..contract.errors import AUTHENTICATION, HopError, refuse
from ..contract.handshake import is_loopback
from ..contract.headers import ACCOUNT, LOCAL_TOKEN, TOKEN_PATH, bearer
from ..contract.login import Login, from_token
from ..contract.secret import REDACTED

PAGE = "/picker"
METRICS = "/metrics"
# The header in which the picker page proves that it is ours.
PAGE_TOKEN = "x-codex-shim-picker-token"  # noqa: S105  # the name of the header

_HOW = (
    f"send it as `Authorization: Bearer …`, or as `{LOCAL_TOKEN}: …` beside a ChatGPT login; `codex-shim generate` writes it into "
    "Codex's configuration"
)


def check_host(headers: Mapping[str, str], allowed: Iterable[str]) -> None:
    """The name the client believes to talk to must be this machine's own."""
    host = urlsplit("//" + headers.get("host", "")).hostname or ""
    if not is_loopback(host) and host not in allowed:
        raise _forbidden(f"the Host `{host}` is not this machine; use 127.0.0.1, or add it to `allowed_hosts` of ingress")


def check_origin(headers: Mapping[str, str], allowed: Iterable[str]) -> None:
    """Browsers name the page that sends a request; no page but our own has business here."""
    origin = headers.get("origin")
    if origin is None or origin in allowed or origin == f"http://{headers.get('host', '')}":
        return
    raise _forbidden(f"the web page `{origin}` may not use this endpoint; add it to `allowed_origins` of ingress if it is yours")


def check_json(headers: Mapping[str, str]) -> None:
    """A page can send text/plain without asking first, JSON it cannot."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise refuse(f"the content type must be application/json, not `{kind or 'none'}`", status=415)


def check_token(headers: Mapping[str, str], expected: str | None, *, required: bool) -> None:
    """The local token, written into Codex's configuration by `codex-shim generate`. It comes as the bearer token or, where that one
    is the user's own, in a header of ours."""
    given = headers.get(LOCAL_TOKEN)
    if given is None:
        given = bearer(headers)
    if not expected or (given is None and not required):
        return
    if given is None:
        raise _unauthorised(f"this chain's token is missing; {_HOW}")
    if not _same(given, expected):
        raise _unauthorised(f"the token is not this chain's; {_HOW}")


def check_desk_call(method: str, path: str, headers: Mapping[str, str], token: str | None, page_token: str) -> None:
    """The picker page and what stands beside it. Slugs and states are told to everybody on this machine, to programs without a
    token and to no page but our own; what changes something, and the numbers of use, are not."""
    opened = method == "GET" and path == PAGE and headers.get("sec-fetch-mode") == "navigate"
    if not opened:  # a link may lead to the page
        check_same_site(headers)
    if path == METRICS:
        check_token(headers, token, required=True)
    if method != "POST":
        return
    check_json(headers)
    if "origin" in headers and PAGE_TOKEN in headers:
        if not _same(headers[PAGE_TOKEN], page_token) or not page_token:
            raise _forbidden("this page is older than the chain; load it again")
    else:
        check_token(headers, token, required=True)


def check_same_site(headers: Mapping[str, str]) -> None:
    """Browsers tell whose page asks. One on another port of this machine is the same site to them, and none of ours."""
    site = headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none"):
        raise _forbidden(f"a web page of another origin ({site}) asks for this; only the picker page itself may")


def token_in_path(path: str) -> tuple[str, str]:
    """The token that a base URL carries, and the path without it; an empty token where there is none."""
    if not path.startswith(TOKEN_PATH):
        return "", path
    token, slash, rest = path.removeprefix(TOKEN_PATH).partition("/")
    return token, slash + rest


def without_token(path: str, expected: str | None) -> str:
    """A path that can be quoted: who puts the token into the wrong place of an address finds it in no log."""
    return path.replace(expected, REDACTED) if expected else path


def users_login(headers: Mapping[str, str], local_token: str | None) -> Login | None:
    """The ChatGPT login that a caller brings, None where there is none. For callers whom `check_token` has let in.

    What names no account is no ChatGPT login: Codex sends an API key in the same place.
    """
    if LOCAL_TOKEN not in headers:
        return None
    token, account = bearer(headers), headers.get(ACCOUNT, "")
    if token is None or not (token + account).isascii() or (local_token and _same(token, local_token)):
        return None
    login = from_token(token, account)
    return login if login.account_id else None


def without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    """The same headers, by their names in lower case, but for one."""
    return {each.lower(): value for each, value in headers.items() if each.lower() != name}


def _same(given: str, expected: str) -> bool:
    """Takes the same time wherever the two differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def _unauthorised(sentence: str) -> HopError:
    return refuse(sentence, status=401, code=AUTHENTICATION)


def _forbidden(sentence: str) -> HopError:
    return refuse(sentence, status=403, code="forbidden")
