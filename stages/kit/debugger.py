"""What `breakpoint()` does in a stage that is run by hand: `PYTHONBREAKPOINT` names this, unless its user has named another."""

from __future__ import annotations

import sys
from typing import Any


def stop_here(*_: Any, **__: Any) -> None:
    """Python's own debugger, which leaves Ctrl-C alone: that is how a stage is stopped."""
    import pdb

    pdb.Pdb(nosigint=True).set_trace(sys._getframe().f_back)  # the user's line
