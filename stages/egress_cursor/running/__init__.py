"""How one run of the agent lives and ends: the pool, the slots, the process and its whole tree."""
