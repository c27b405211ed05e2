"""How many tokens something will be, before any provider has counted it. Pure."""

from __future__ import annotations

# JSON of conversations, code and prose alike, comes to about this many bytes for a token of the tokenizers in use.
BYTES_PER_TOKEN = 4


def estimate(size: int) -> int:
    """For `size` bytes; good enough to compare sizes, not to pay by."""
    return -(-size // BYTES_PER_TOKEN)
