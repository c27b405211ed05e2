"""The chain's traces for an OpenTelemetry collector: a stage beside the chain, which no request meets."""
