"""The codes of this worker's failures, for logs and for clients that read them."""

from __future__ import annotations

AUTH_REQUIRED = "cursor_auth_required"
MISCONFIGURED = "cursor_misconfigured"
POLICY_VIOLATION = "cursor_policy_violation"
POOL_FULL = "cursor_pool_full"
POOL_TIMEOUT = "cursor_pool_timeout"
PROTOCOL_ERROR = "cursor_protocol_error"
RATE_LIMITED = "cursor_rate_limited"
TIMEOUT = "cursor_timeout"
TOOL_LOOP = "cursor_tool_loop"
UNAVAILABLE = "cursor_unavailable"
UPSTREAM_UNAVAILABLE = "cursor_upstream_unavailable"
USAGE_LIMIT = "cursor_usage_limit"
