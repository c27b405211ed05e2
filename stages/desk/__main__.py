"""`python -P -m codex_shim.stages.desk`: this stage as a process."""

from codex_shim.stages.desk.stage import Desk
from codex_shim.stages.kit.process import run

run(Desk)
