"""`python -P -m codex_shim.stages.egress_http`: this stage as a process."""

from codex_shim.stages.egress_http.stage import EgressHttp
from codex_shim.stages.kit.process import run

run(EgressHttp)
