"""`codex-shim doctor`: what is so, what is not, and what to do about it. Nothing here starts, stops or writes anything of ours."""
