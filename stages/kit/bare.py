"""`python -P -m codex_shim.stages.kit.bare`: the base class `Stage` as a process, a hop that does nothing.

It is what `codex-shim bench` measures the other stages against, and the least that any stage of ours can cost.
"""

from __future__ import annotations

from .process import run
from .stage import Stage

if __name__ == "__main__":
    run(Stage)
