"""`python -P -m codex_shim.stages.ingress`: this stage as a process."""

from codex_shim.stages.ingress.stage import Ingress
from codex_shim.stages.kit.process import run

run(Ingress)
