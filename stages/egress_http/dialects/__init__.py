"""The languages upstreams speak, by the name a model's row gives them."""

from __future__ import annotations

from .base import Dialect, Prepared, Target, Translator
from .chat import ChatDialect
from .gemini import GeminiDialect
from .messages import MessagesDialect
from .responses import ChatGptDialect, ResponsesDialect

DIALECTS: dict[str, Dialect] = {
    "chat": ChatDialect(),
    "messages": MessagesDialect(),
    "responses": ResponsesDialect(),
    "gemini": GeminiDialect(),
}

# Spoken by one upstream alone, so that no row can name it.
CHATGPT = ChatGptDialect()

__all__ = ["CHATGPT", "DIALECTS", "Dialect", "Prepared", "Target", "Translator"]
