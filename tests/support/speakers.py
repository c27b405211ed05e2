"""One model of each dialect, by its slug: how it speaks, and its row in models.json. All have the same window."""

from __future__ import annotations

from typing import Any

from chat_language import ChatLanguage
from gemini_language import GeminiLanguage
from messages_language import MessagesLanguage
from responses_language import ResponsesLanguage
from said import Language
from scripted_upstream import ScriptedUpstream

CONTEXT = 200_000
FULL = 190_000
"""So many tokens in the prompt that Codex compacts."""

LANGUAGES: dict[str, Language] = {
    "chat": ChatLanguage(),
    "messages": MessagesLanguage(),
    "responses": ResponsesLanguage(all_tools=False),
    "responses-all-tools": ResponsesLanguage(all_tools=True),
    "gemini": GeminiLanguage("gemini-3-flash"),
}
_ROWS: dict[str, dict[str, Any]] = {
    "chat": {"provider": "openai", "model": "deepseek-v4"},
    "messages": {"provider": "anthropic", "model": "claude-opus-4-6"},
    "responses": {"provider": "openai-responses", "model": "gpt-served-elsewhere"},
    "responses-all-tools": {
        "provider": "openai-responses",
        "model": "gpt-with-all-tools",
        "quirks": {"native_tools": ["custom", "namespace", "web_search"]},
    },
    "gemini": {"provider": "gemini", "model": "gemini-3-flash"},
}


def rows(upstream: ScriptedUpstream) -> list[dict[str, Any]]:
    return [upstream.model(slug=slug, max_context_limit=CONTEXT, **row) for slug, row in _ROWS.items()]
