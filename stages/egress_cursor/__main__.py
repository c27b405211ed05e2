"""`python -P -m codex_shim.stages.egress_cursor`: this stage as a process."""

from codex_shim.stages.egress_cursor.stage import EgressCursor
from codex_shim.stages.kit.process import run

run(EgressCursor)
