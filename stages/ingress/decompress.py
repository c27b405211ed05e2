"""Request bodies as they were before they were compressed, never larger than the limit.

Codex sends zstd when the built-in provider runs with a ChatGPT login; gzip is what other clients use.
"""

from __future__ import annotations

import gzip
import io
import zlib

from ..contract.errors import refuse


def decompress(body: bytes, encoding: str, limit: int) -> bytes | None:
    """The plain body, None where it is larger than `limit` bytes. Raises `HopError` (400, 415) for what cannot be read."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    try:
        with _reader(body, encoding) as reader:
            plain = reader.read(limit + 1) or b""
    except (OSError, EOFError, zlib.error) as error:
        raise refuse(f"the {encoding} request body cannot be decompressed: {error}") from error
    return plain if len(plain) <= limit else None


def _reader(body: bytes, encoding: str) -> io.BufferedIOBase | io.RawIOBase:
    if encoding in ("gzip", "x-gzip"):
        return gzip.GzipFile(fileobj=io.BytesIO(body))
    if encoding == "zstd":
        return _zstd_reader(body)
    raise refuse(f"the content encoding `{encoding}` is not supported; send zstd, gzip or none", status=415)


def _zstd_reader(body: bytes) -> io.RawIOBase:
    import zstandard

    class Reader(io.RawIOBase):
        """Turns the library's own error into the one that readers of this module expect."""

        def __init__(self) -> None:
            self._stream = zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True)

        def read(self, size: int = -1) -> bytes:
            try:
                return self._stream.read(size)
            except zstandard.ZstdError as error:
                raise OSError(str(error)) from error

    return Reader()
