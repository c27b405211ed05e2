"""`python -P -m codex_shim.stages.otel`: this stage as a process."""

from codex_shim.stages.kit.process import run
from codex_shim.stages.otel.stage import Otel

run(Otel)
