"""`codex-shim bench`: what a hop, and the whole chain, cost on this machine, beside anything else that speaks Responses."""
