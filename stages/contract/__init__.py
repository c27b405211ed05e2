"""What crosses a hop: bodies, events, headers, errors, secrets and the handshake.

Nothing here does I/O, and nothing here imports another package of ours: the orchestrator and every stage stand on it.
"""
