"""In which folder Codex works. Pure: a look at the bytes, since a hop that decoded the conversation would not be quick any more."""

from __future__ import annotations

import msgspec

_OPENS, _CLOSES = b"<cwd>", b"</cwd>"
# A path is shorter. What is longer is something else that looks alike.
_LONGEST = 4096


def of(body: bytes) -> str:
    """The folder in which the conversation began, as its opening says; nothing where it does not."""
    start = body.find(_OPENS)
    if start < 0:
        return ""
    start += len(_OPENS)
    end = body.find(_CLOSES, start, start + _LONGEST)
    if end < 0:
        return ""
    try:
        return msgspec.json.decode(b'"' + body[start:end] + b'"', type=str).strip()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
