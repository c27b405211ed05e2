"""The languages upstreams speak, by the name a model's row gives them."""

from __future__ import annotations

from .base import Dialect, Prepared, Target, Translator
from .chat import ChatDialect
from .gemini import GeminiDialect
from .messages import MessagesDialect
from .responses import ResponsesDialect

DIALECTS: dict[str, Dialect] = {
    "chat": ChatDialect(),
    "messages": MessagesDialect(),
    "responses": ResponsesDialect(),
    "gemini": GeminiDialect(),
}

__all__ = ["DIALECTS", "Dialect", "Prepared", "Target", "Translator"]
