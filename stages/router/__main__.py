"""`python -P -m codex_shim.stages.router`: this stage as a process."""

from codex_shim.stages.kit.process import run
from codex_shim.stages.router.stage import Router

run(Router)
