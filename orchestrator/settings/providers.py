"""What a `provider` in models.json stands for. Data only: a new provider is one line here.

`context` and `images` are defaults for a row that does not say; None leaves it to the catalog, which knows models by name.
"""

from __future__ import annotations

from typing import get_args

import msgspec
from codex_shim.stages.egress_http.config import DialectName

SUPPORTED_DIALECTS: frozenset[str] = frozenset(get_args(DialectName))


class Preset(msgspec.Struct, frozen=True):
    """`key_env` is only ever sent to the host of `base_url` (or `key_host`, where a preset has no URL of its own)."""

    dialect: str
    base_url: str | None = None
    key_env: str | None = None
    context: int | None = None
    images: bool = True
    key_host: str | None = None


PRESETS: dict[str, Preset] = {
    # Languages by name: the row brings the URL.
    "chat": Preset("chat"),
    "generic-chat-completion-api": Preset("chat"),
    "openai": Preset("chat", None, "OPENAI_API_KEY", key_host="api.openai.com"),
    "anthropic": Preset("messages", None, "ANTHROPIC_API_KEY", key_host="api.anthropic.com"),
    "openai-responses": Preset("responses", None, "OPENAI_API_KEY", key_host="api.openai.com"),
    # Servers on this machine.
    "ollama": Preset("chat", "http://127.0.0.1:11434/v1"),
    "lmstudio": Preset("chat", "http://127.0.0.1:1234/v1"),
    "vllm": Preset("chat", "http://127.0.0.1:8000/v1"),
    "llamacpp": Preset("chat", "http://127.0.0.1:8080/v1"),
    # Hosted.
    "cerebras": Preset("chat", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", 131_072, False),
    "deepseek": Preset("chat", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", 128_000, False),
    "gemini": Preset("chat", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY", 1_048_576),
    "groq": Preset("chat", "https://api.groq.com/openai/v1", "GROQ_API_KEY", 131_072, False),
    "minimax": Preset("chat", "https://api.minimax.io/v1", "MINIMAX_API_KEY", 200_000, False),
    "mistral": Preset("chat", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", 128_000),
    "moonshot": Preset("chat", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", 256_000),
    "openrouter": Preset("chat", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "qwen": Preset("chat", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY", 131_072, False),
    "xai": Preset("chat", "https://api.x.ai/v1", "XAI_API_KEY", 256_000),
    "zai": Preset("chat", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY", 200_000, False),
}
