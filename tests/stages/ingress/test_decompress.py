"""Compressed bodies: what Codex and other clients send, and what must not fill the memory."""

from __future__ import annotations

import gzip

import pytest
import zstandard
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.ingress.decompress import decompress

PLAIN = b'{"model":"m"}' * 1000
LIMIT = len(PLAIN)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (PLAIN, ""),
        (PLAIN, "identity"),
        (gzip.compress(PLAIN, mtime=0), "gzip"),
        (gzip.compress(PLAIN, mtime=0), " GZIP "),
        (gzip.compress(PLAIN[:5], mtime=0) + gzip.compress(PLAIN[5:], mtime=0), "x-gzip"),
        (zstandard.compress(PLAIN), "zstd"),
        (zstandard.ZstdCompressor(write_content_size=False).compress(PLAIN), "zstd"),
        (zstandard.compress(PLAIN[:5]) + zstandard.compress(PLAIN[5:]), "zstd"),
    ],
)
def test_a_body_comes_out_as_it_was(body: bytes, encoding: str) -> None:
    assert decompress(body, encoding, LIMIT) == PLAIN


@pytest.mark.parametrize(("compress", "encoding"), [(gzip.compress, "gzip"), (zstandard.compress, "zstd")])
def test_a_bomb_is_given_up_at_the_limit(compress, encoding: str) -> None:
    assert decompress(compress(b"0" * 50_000_000), encoding, 1000) is None


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"not compressed", "gzip", 400),
        (b"not compressed", "zstd", 400),
        (gzip.compress(PLAIN, mtime=0)[:-20], "gzip", 400),
        (PLAIN, "br", 415),
        (PLAIN, "gzip, zstd", 415),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(body: bytes, encoding: str, status: int) -> None:
    with pytest.raises(HopError) as refusal:
        decompress(body, encoding, LIMIT)
    assert refusal.value.failure.status == status
