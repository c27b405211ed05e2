"""What the ChatGPT Codex backend refuses, and in which words. Pure.

Seen of the real one by its clients: it is stricter than the public API, and it says most of its refusals in a `detail`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import chatgpt_login

MODELS = ("gpt-6.1-sol", "gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.3-codex", "gpt-5.2", "codex-auto-review")
UNSUPPORTED = (
    "max_output_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "truncation",
    "user",
    "context_management",
    "prompt_cache_retention",
    "prompt_cache_options",
    "safety_identifier",
    "stream_options",
    "previous_response_id",
    "metadata",
)
SERVICE_TIERS = ("priority", "fast")
EXPIRED = "Provided authentication token is expired. Please try signing in again."

Refusal = tuple[int, dict[str, Any]]


def refuse_login(headers: Mapping[str, str], issued: Callable[[str], bool], now: float) -> Refusal | None:
    """Whether the bearer token and the account beside it may pass; `issued` knows the tokens that the service gave out."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not issued(token):
        return 401, {"detail": "Unauthorized"}
    claims = chatgpt_login.claims_of(token)
    if claims["exp"] <= now:
        return 401, {"error": {"message": EXPIRED, "type": None, "code": "token_expired", "param": None}, "status": 401}
    if headers.get("chatgpt-account-id") != chatgpt_login.account_of(claims):
        return 401, {"detail": "Unauthorized"}
    return None


def refuse_request(body: dict[str, Any], issued: Callable[[dict[str, Any]], bool]) -> Refusal | None:
    """The first thing in a request that the service does not take; `issued` knows the items that it sealed itself."""
    for name in UNSUPPORTED:
        if name in body:
            return _unsupported(name)
    if body.get("model") not in MODELS:
        return 400, _detail(f"The '{body.get('model')}' model is not supported when using Codex with a ChatGPT account.")
    return _refuse_settings(body) or _refuse_tools(body) or _refuse_input(body, issued)


def refuse_stream(body: dict[str, Any]) -> Refusal | None:
    """What holds for an answer that streams, and not for `/responses/compact`."""
    if body.get("stream") is not True:
        return 400, _detail("Stream must be set to true")
    if body.get("store") is not False:
        return 400, _detail("Store must be set to false")
    return None


def _refuse_settings(body: dict[str, Any]) -> Refusal | None:
    tier = body.get("service_tier")
    if tier is not None and tier not in SERVICE_TIERS:
        return 400, _detail(f"Unsupported service_tier: {tier}")
    first = body["input"][0] if isinstance(body.get("input"), list) and body["input"] else {}
    # The Codex of today sends its prompt as the first message of the developer, and no instructions.
    if not isinstance(body.get("instructions"), str) and first.get("role") != "developer":
        return 400, _detail("Instructions are required")
    return None


def _refuse_tools(body: dict[str, Any]) -> Refusal | None:
    tools = body.get("tools") or []
    if any(tool["type"].startswith("web_search_preview") for tool in tools):
        return 400, _detail("Unsupported tool type: web_search_preview")
    if body.get("parallel_tool_calls") and not tools and not any(item.get("type") == "additional_tools" for item in body["input"]):
        return _invalid("'parallel_tool_calls' is only allowed when 'tools' are specified.", "invalid_value", "parallel_tool_calls")
    return None


def _refuse_input(body: dict[str, Any], issued: Callable[[dict[str, Any]], bool]) -> Refusal | None:
    if not isinstance(body.get("input"), list):
        return 400, _detail("Input must be a list")
    for place, item in enumerate(body["input"]):
        if item.get("role") == "system":
            return 400, _detail("System messages are not allowed")
        content = item.get("content")
        if isinstance(content, list) and any("prompt_cache_breakpoint" in part for part in content):
            return _unsupported("prompt_cache_breakpoint")
        if item.get("type") in ("reasoning", "compaction") and not issued(item):
            sentence = f"The encrypted content for item {item.get('id')} could not be verified."
            return _invalid(sentence, "invalid_encrypted_content", f"input[{place}].encrypted_content")
    return None


def _unsupported(name: str) -> Refusal:
    return 400, _detail(f"Unsupported parameter: {name}")


def _detail(sentence: str) -> dict[str, Any]:
    return {"detail": sentence}


def _invalid(sentence: str, code: str, param: str) -> Refusal:
    return 400, {"error": {"message": sentence, "type": "invalid_request_error", "param": param, "code": code}}
