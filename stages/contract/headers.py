"""Which headers cross a hop, and which stay behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

REQUEST_ID = "x-request-id"
TRACEPARENT = "traceparent"

# How a client proves to ingress whose it is where its `authorization` is the user's own ChatGPT token.
LOCAL_TOKEN = "x-codex-shim-token"  # noqa: S105  # the name of the header
# Where a client can send no header of ours: http://127.0.0.1:8765/key/TOKEN/v1
TOKEN_PATH = "/key/"  # noqa: S105  # the beginning of a path
# That token and its account, sealed by ingress for the ChatGPT egress alone (docs/decisions/0010).
USER_LOGIN = "x-codex-shim-user"
# The account that a ChatGPT token is used for, as Codex sends it.
ACCOUNT = "chatgpt-account-id"

# RFC 9110 section 7.6.1, with the two that proxies add. They speak of one connection, not of the message.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

# Written anew by whoever sends the message, because they describe its bytes or its sender's connection.
REWRITTEN = frozenset({"host", "content-length", "content-encoding", "accept-encoding", "expect"})

# What belongs to the caller and whoever it calls. Behind ingress only sealed forms of it go on.
NOT_SENT_ON = frozenset({"authorization", LOCAL_TOKEN, ACCOUNT})

# `openai-model` with another name than the slug makes Codex warn of a cyber-risk reroute; the others are the server's own.
NOT_RETURNED = frozenset({"openai-model", "server", "date", "content-length", "set-cookie"})


def forward_request(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The request headers a relay sends on. Names come out in lower case; `authorization` is the sender's business."""
    kept = _end_to_end(headers)
    return {name: value for name, value in kept.items() if name not in REWRITTEN and name not in NOT_SENT_ON}


def forward_response(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The response headers a relay hands back. Names come out in lower case."""
    return {name: value for name, value in _end_to_end(headers).items() if name not in NOT_RETURNED}


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of `Authorization: Bearer …`, or None."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _end_to_end(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    pairs = [(name.lower(), value) for name, value in headers]
    named = {token.strip().lower() for name, value in pairs if name == "connection" for token in value.split(",")}
    return {name: value for name, value in pairs if name not in HOP_BY_HOP and name not in named}
