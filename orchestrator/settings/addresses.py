"""The addresses that pipeline.toml may hold: loopback only, whichever way they are written."""

from __future__ import annotations

from codex_shim.stages.contract.handshake import HandshakeError, is_loopback, parse_listen

from .positions import Path
from .strict import Reader


def read_listen(value: str, at: Path, reader: Reader) -> None:
    try:
        parse_listen(value)
    except HandshakeError as error:
        reader.at_value(at, str(error))
    except ValueError:  # digits of another script
        reader.at_value(at, f"`{value}` is not an address; write it like 127.0.0.1:8765")


def read_url(value: str, at: Path, reader: Reader) -> str:
    """The base URL of an outside proxy as `http://host:port`; the `/v1` that the contract adds may be written or not."""
    address = _url_address(value)
    if not address:
        reader.at_value(at, "`url` must be a loopback address like http://127.0.0.1:4000; only egress workers leave this machine")
        return value
    host, port = address
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def comparable(value: str) -> tuple[str, int] | None:
    """Host and port of an address or a URL; None for what is neither, and for port 0, which means any free one."""
    try:
        address = _url_address(value) if "//" in value else parse_listen(value)
    except ValueError:
        return None
    if not address or not address[1]:
        return None
    return ("127.0.0.1" if address[0] == "localhost" else address[0], address[1])


def _url_address(value: str) -> tuple[str, int] | None:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        return None
    extra = parts.username or parts.query or parts.fragment or parts.path.rstrip("/") not in ("", "/v1")
    return (host, port) if parts.scheme == "http" and not extra and is_loopback(host) else None
