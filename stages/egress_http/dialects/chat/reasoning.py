"""The reasoning an upstream wants back.

Some upstreams refuse the next request of a tool loop that lacks what their model thought. What they need is kept in the
`encrypted_content` of the reasoning items that the stream translator makes, and is put back here. Until the translator writes such
state there is none to restore; a summary by itself is not it, and thinking is never shown to a model as something it said.
"""

from __future__ import annotations

from typing import Any


def restore(item: dict[str, Any]) -> dict[str, Any] | None:
    """The fields for the assistant message this item belongs to, e.g. `{"reasoning_content": …}`. None: there is nothing."""
    return None
