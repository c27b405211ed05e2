"""Processes and what keeps them running: one keeper per stage, two ways to start a process, readiness, backoff, logs."""
