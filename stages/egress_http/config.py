"""What one upstream's worker can be told. `Options` may stand under `[egress.NAME]`; the rest comes from the model's row."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

DialectName = Literal["chat", "messages", "responses", "gemini"]


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Seconds. `idle_seconds` is how long the upstream may send nothing at all before it is given up."""

    connect_seconds: float = 15.0
    idle_seconds: float = 600.0
    connections: int = 1000


class Quirks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """In what a server of a known language is unlike the plain one, the defaults. docs/dialects.md explains each."""

    # Responses spoken natively: which kinds of tools the server knows, None to go by its host
    native_tools: list[str] | None = None
    # Roles and the shape of messages
    developer_role: bool = False
    late_instructions: Literal["user", "same"] = "user"
    alternate: bool = False
    prefill: Literal["continue", "keep"] = "continue"
    empty_content: Literal["text", "null", "list"] = "text"
    image_detail: Literal["send", "original", "drop"] = "send"
    call_ids: Literal["plain", "nine"] = "plain"
    tool_names: bool = False
    # Tools
    parallel_tool_calls: Literal["send", "drop", "only_true", "only_false"] = "send"
    tool_choice_required: Literal["required", "any", "auto"] = "required"
    tool_choice_named: Literal["send", "filter"] = "send"
    strict: Literal["send", "drop", "all_or_none"] = "send"
    schema_drop: list[str] = []
    schema_fix: list[Literal["any_of_types", "flat_root", "inline_refs", "single_types", "string_enums", "tuples"]] = []
    # Output
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    stream_usage: bool = True
    sampling: bool = True
    json_schema: Literal["native", "json_object", "text"] = "native"
    json_with_tools: bool = True
    verbosity: bool = False
    service_tier: bool = False
    prompt_cache_key: bool = False
    session_header: str = ""
    extra_body: dict[str, Any] = {}
    # Reasoning
    effort: Literal["reasoning_effort", "reasoning", "drop"] = "reasoning_effort"
    efforts: dict[str, str] = {}
    thinking: Literal["drop", "thinking", "enable_thinking"] = "drop"
    thinking_fields: dict[str, Any] = {}
    think_tags: Literal["first", "open", "off"] = "first"
    reasoning_back: Literal["never", "calls", "always"] = "never"
    reasoning_field: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    reasoning_lost: str = ""
    call_state_lost: dict[str, Any] = {}
    hold_calls: bool = False


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One slug of this upstream: the name it goes by there, and what it can take."""

    model: str
    max_output_tokens: int | None = None
    images: bool = True
    quirks: Quirks = Quirks()


class LoginFile(msgspec.Struct, frozen=True, kw_only=True):
    """The login that Codex keeps. `path` is its auth.json, read for each request; `seal_key` opens what ingress has sealed of a
    request that brought the user's token along."""

    path: str
    seal_key: str = ""

    def __repr__(self) -> str:
        return f"LoginFile({self.path})"


class Config(Options, kw_only=True):
    """`api_key` is the only provider key this process, and no other, ever holds. `models` is by slug. With `login`, this is the
    ChatGPT backend: the token comes from there, and the body keeps that backend's rules.

    `key_header` is where the key goes: `authorization` as a bearer token, any other header as it is. `provider` names the upstream
    for opaque state that only it can read.
    """

    base_url: str
    dialect: DialectName = "chat"
    api_key: str | None = None
    key_header: str = "authorization"
    provider: str = ""
    headers: dict[str, str] = {}
    login: LoginFile | None = None
    models: dict[str, Model] = {}
