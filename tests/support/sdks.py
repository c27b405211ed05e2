"""The official SDKs as readers that nobody here wrote. Each raises where what it reads is wrong.

    sdks.follow(events)                                        # the events of a streamed answer
    assert sdks.read(sdks.chat_request(), payload) == payload  # what a type does not know it leaves out

They take seconds to import, so whoever reads with them pays for it, and not each test process that looks for tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import TypeAdapter


@cache
def chat_request() -> TypeAdapter[Any]:
    from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

    return TypeAdapter(CompletionCreateParamsStreaming)


@cache
def responses_request() -> TypeAdapter[Any]:
    from openai.types.responses.response_create_params import ResponseCreateParamsStreaming

    return TypeAdapter(ResponseCreateParamsStreaming)


@cache
def messages_request() -> TypeAdapter[Any]:
    from anthropic.types.message_create_params import MessageCreateParamsStreaming

    return TypeAdapter(MessageCreateParamsStreaming)


@cache
def thinking_binding() -> TypeAdapter[Any]:
    """Still a beta, with a type of its own."""
    from anthropic.types.beta import BetaThinkingBlockBindingParam

    return TypeAdapter(BetaThinkingBlockBindingParam)


@cache
def response() -> TypeAdapter[Any]:
    from openai.types.responses import Response

    return TypeAdapter(Response)


@cache
def _event() -> TypeAdapter[Any]:
    from openai.types.responses import ResponseStreamEvent

    return TypeAdapter(ResponseStreamEvent)


def follow(events: Iterable[dict[str, Any]]) -> None:
    """To the end of the answer."""
    from openai import omit
    from openai.lib.streaming.responses._responses import ResponseStreamState

    state = ResponseStreamState(text_format=omit, input_tools=omit)
    for event in events:
        state.handle_event(_event().validate_python(event))


def read(type: TypeAdapter[Any], payload: Any) -> Any:
    """What the type knows of it."""
    return _plain(type.validate_python(payload))


def _plain(value: Any) -> Any:
    """The models read lists lazily."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if value is None or isinstance(value, (str, int, float)):
        return value
    return [_plain(entry) for entry in value]
