"""`python -P -m codex_shim.stages.probe`: this stage as a process."""

from codex_shim.stages.kit.process import run
from codex_shim.stages.probe.stage import Probe

run(Probe)
