"""Hides names from the provider: real ones leave as pseudonyms and come back as themselves.

In pipeline.toml:  config = { names = { "Acme" = "Northwind" } }
"""

NAMES = config["names"]
BACK = {pseudonym: name for name, pseudonym in NAMES.items()}


def request(body):
    if any(pseudonym in str(body["input"]) for pseudonym in BACK):
        raise PermissionError("the conversation holds a pseudonym already; choose another one in pipeline.toml")
    body["input"] = replaced(body["input"], NAMES)


def event(event):
    return replaced(event, BACK)


def replaced(value, names):
    """Strings anywhere inside `value`; keys and their order stay as they are."""
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, list):
        return [replaced(item, names) for item in value]
    if isinstance(value, dict):
        return {key: replaced(item, names) for key, item in value.items()}
    return value
