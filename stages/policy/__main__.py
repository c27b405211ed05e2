"""`python -P -m codex_shim.stages.policy`: this stage as a process."""

from codex_shim.stages.kit.process import run
from codex_shim.stages.policy.stage import Policy

run(Policy)
