"""`python -P -m codex_shim.stages.replayed`: this stage as a process."""

from codex_shim.stages.kit.process import run
from codex_shim.stages.replayed.stage import Replayed

run(Replayed)
