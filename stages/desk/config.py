"""What the desk is told by the orchestrator; nothing of it may stand in pipeline.toml."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, kw_only=True):
    """`control` is the file with the port and the restricted token by which the orchestrator is asked; it is read at each question,
    because it may be written after the desk was started. `page_token` is what the page shows to ingress when it switches.
    """

    control: str = ""
    page_token: str = ""
