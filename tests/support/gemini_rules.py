"""The rules of a Gemini request, as the API checks them: what breaks one is refused there with INVALID_ARGUMENT.

Written from the API's reference (ai.google.dev/api/generate-content), apart from the code under test.
"""

from __future__ import annotations

from typing import Any

TOP = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"}
PART = {"text", "inlineData", "fileData", "functionCall", "functionResponse"}
SCHEMA = {
    "type", "format", "title", "description", "nullable", "enum", "items", "properties", "required", "propertyOrdering", "anyOf",
    "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "pattern",
}  # fmt: skip
GENERATION = {"maxOutputTokens", "temperature", "topP", "thinkingConfig", "responseMimeType", "responseJsonSchema"}


def check(payload: dict[str, Any]) -> None:
    assert payload.keys() <= TOP
    contents = payload["contents"]
    assert [content["role"] for content in contents] == [("user", "model")[place % 2] for place in range(len(contents))]
    assert contents[-1]["role"] == "user"
    for place, content in enumerate(contents):
        assert content.keys() == {"role", "parts"}
        assert content["parts"]
        for part in content["parts"]:
            _part(part, content["role"])
        if content["role"] == "model":
            _answered(content, contents[place + 1])
    for part in (payload.get("systemInstruction") or {}).get("parts", []):
        assert part.keys() == {"text"}
    names = [_function(function) for tool in payload.get("tools", []) for function in tool["functionDeclarations"]]
    assert len(names) == len(set(names))
    _choice(payload.get("toolConfig"), names)
    assert (payload.get("generationConfig") or {}).keys() <= GENERATION


def _part(part: dict[str, Any], role: str) -> None:
    (kind,) = part.keys() - {"thoughtSignature"}
    assert kind in PART
    assert role == "model" or "thoughtSignature" not in part
    assert (kind == "functionCall") <= (role == "model")
    assert (kind in ("functionResponse", "inlineData", "fileData")) <= (role == "user")
    if kind == "text":
        assert part["text"] or "thoughtSignature" in part
    elif kind in ("inlineData", "fileData"):
        assert "/" in part[kind]["mimeType"]
    else:
        assert part[kind].keys() == {"id", "name", "args" if kind == "functionCall" else "response"}
        assert isinstance(part[kind].get("args", part[kind].get("response")), dict)


def _answered(model: dict[str, Any], user: dict[str, Any]) -> None:
    calls = [(part["functionCall"]["id"], part["functionCall"]["name"]) for part in model["parts"] if "functionCall" in part]
    answers = [part.get("functionResponse") for part in user["parts"]][: len(calls)]
    assert [(answer["id"], answer["name"]) for answer in answers if answer] == calls
    assert not any("functionResponse" in part for part in user["parts"][len(calls) :])


def _function(function: dict[str, Any]) -> str:
    assert function.keys() <= {"name", "description", "parameters"}
    assert 0 < len(function["name"]) <= 64
    if "parameters" in function:
        assert function["parameters"]["type"] == "object"
        schema(function["parameters"])
    return function["name"]


def schema(value: Any, depth: int = 0) -> None:
    """One schema of the subset."""
    assert isinstance(value, dict)
    assert depth < 32
    assert value.keys() <= SCHEMA, value.keys() - SCHEMA
    if "anyOf" in value:
        assert value.keys() <= {"anyOf", "description", "nullable"}
        for branch in value["anyOf"]:
            schema(branch, depth + 1)
        return
    assert value["type"] in ("string", "number", "integer", "boolean", "array", "object")
    assert "enum" not in value or (value["type"] == "string" and all(isinstance(each, str) for each in value["enum"]))
    assert ("items" in value) == (value["type"] == "array")
    if "items" in value:
        schema(value["items"], depth + 1)
    for each in value.get("properties", {}).values():
        schema(each, depth + 1)
    assert set(value.get("required", [])) <= value.get("properties", {}).keys()
    assert value.get("properties") != {}


def _choice(config: dict[str, Any] | None, names: list[str]) -> None:
    if config is None:
        return
    calling = config["functionCallingConfig"]
    assert calling["mode"] in ("ANY", "NONE")
    assert set(calling.get("allowedFunctionNames", [])) <= set(names)
    assert calling["mode"] == "ANY" or "allowedFunctionNames" not in calling
