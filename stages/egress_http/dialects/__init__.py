"""The languages upstreams speak, by the name a model's row gives them."""

from __future__ import annotations

from .base import Dialect, Prepared, Target, Translator
from .chat import ChatDialect

DIALECTS: dict[str, Dialect] = {"chat": ChatDialect()}

__all__ = ["DIALECTS", "Dialect", "Prepared", "Target", "Translator"]
