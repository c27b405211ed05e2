"""`python -P -m codex_shim.stages.egress_demo`: this stage as a process."""

from codex_shim.stages.egress_demo.stage import EgressDemo
from codex_shim.stages.kit.process import run

run(EgressDemo)
