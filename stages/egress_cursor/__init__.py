"""Egress to the user's Cursor subscription: one isolated `cursor-agent` process per request, in a bounded pool."""
