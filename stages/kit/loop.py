"""Which event loop runs a stage: uvloop where there is one, winloop on Windows, asyncio's own otherwise."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What `asyncio.Runner` is given."""
    try:
        if sys.platform == "win32":
            import winloop as fast  # pyright: ignore[reportMissingImports]  # a dependency on Windows only
        else:
            import uvloop as fast
    except ImportError:
        return asyncio.new_event_loop
    return fast.new_event_loop
