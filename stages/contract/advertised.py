"""What the chain offers at this moment. The orchestrator, which watches the logins, writes it to a file; ingress and the router
read that file when they are asked, so that a discovery call waits for nobody and a login needs no restart. Pure.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Subscription = Literal["chatgpt", "cursor"]


class Advertised(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that `GET /health` shows. `models` counts the slugs on offer; the two others say whether that login is usable."""

    models: int = 0
    chatgpt_passthrough: bool = False
    cursor_passthrough: bool = False

    def offers(self, subscription: Subscription) -> bool:
        return self.chatgpt_passthrough if subscription == "chatgpt" else self.cursor_passthrough


def decode(content: bytes) -> Advertised:
    """Nothing is on offer where the file is not ours."""
    try:
        return msgspec.json.decode(content, type=Advertised)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Advertised()


def encode(advertised: Advertised) -> bytes:
    return msgspec.json.encode(advertised)
